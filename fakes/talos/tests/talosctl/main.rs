//! The real `talosctl` against this machine: `SMOKE_TALOSCTL`, or the one on the search path. Without one nothing runs, and the last
//! line says so. What a real machine was heard to say to the same calls is the expectation.

#[cfg(test)]
mod caller;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod real;
#[cfg(test)]
mod site;
#[cfg(test)]
mod stories;

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

use contract::contract;
use site::{play, say};
use stories::{
    becomes_a_cluster, in_maintenance, resolver_refuses, silent, starts_again, strangers, wrapped,
};

const NONE: &str = "no talosctl on the search path, and SMOKE_TALOSCTL is not set";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let program = program();
    let trial = |name: &str, story: fn(PathBuf)| {
        let program = program.clone();
        Trial::ignorable_test(name, move || match program {
            Some(program) => {
                story(program);
                Ok(Completion::Completed)
            }
            None => Ok(Completion::ignored_with(NONE)),
        })
    };
    let folder = real::folder();
    let on_the_real_one = {
        let (program, folder) = (program.clone(), folder.clone());
        Trial::ignorable_test("the_contract_holds_for_a_real_machine", move || match (program, folder) {
            (Some(program), Some(folder)) => {
                real::play(&program, &folder);
                Ok(Completion::Completed)
            }
            _ => Ok(Completion::ignored_with(real::NONE)),
        })
    };
    let trials = vec![
        on_the_real_one,
        trial("the_contract_holds_for_this_machine", |it| play(&it, async |site| contract(&site).await)),
        trial("a_machine_goes_from_maintenance_to_a_cluster", |it| play(&it, becomes_a_cluster)),
        trial("maintenance_answers_some_calls_and_refuses_bad_configurations", |it| {
            play(&it, in_maintenance)
        }),
        trial("strangers_are_told_apart_as_a_real_machine_does", |it| play(&it, strangers)),
        trial("a_failed_call_fails_in_its_part_of_the_reply", |it| play(&it, wrapped)),
        trial("a_machine_that_is_silent_is_not_one_that_refuses", |it| play(&it, silent)),
        trial("a_resolver_that_refuses_keeps_a_machine_from_installing_itself", |it| {
            play(&it, resolver_refuses)
        }),
        trial("a_machine_that_starts_again_comes_back_with_what_it_had", |it| play(&it, starts_again)),
    ];
    let listed = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !listed {
        let ran = conclusion.num_passed + conclusion.num_failed;
        say(&match program {
            Some(_) => format!("lanes: talosctl ran {ran}"),
            None => format!("lanes: talosctl did not run ({NONE})"),
        });
        say(&match folder {
            Some(_) => "lanes: contract ran 1".to_owned(),
            None => format!("lanes: contract did not run ({})", real::NONE),
        });
    }
    if conclusion.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}

fn program() -> Option<PathBuf> {
    let named = std::env::var_os("SMOKE_TALOSCTL").filter(|it| !it.is_empty()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("talosctl"));
    named.or_else(|| found.find(|it| it.is_file()))
}
