//! The same scripts here and in a real shell, where there is one.

use std::process::Command;

use super::container::Field;

/// Scripts whose output and status are the same in every POSIX shell.
const SCRIPTS: &[&str] = &[
    "echo hello; echo a b   c; echo 'a  b' \"c  d\"",
    "x=1; y=$x; echo $y ${x}2 \"$x\" '$x' \\$x",
    "echo ${a:-b} ${a-c} ${a:=d} $a ${a:+e} ${#a}",
    "f=/a/b/c.tar.gz; echo ${f##*/} ${f%/*} ${f#*/} ${f%%.*} ${f%.*}",
    "x='a b  c'; echo $x; echo \"$x\"; set -- $x; echo $#",
    "set -- 'a b' c; for i in \"$@\"; do echo \"[$i]\"; done; for i in $@; do echo \"<$i>\"; done; echo \"$*\"",
    "set -- a b c d; shift 2; echo $1 $# ; shift; echo $@",
    "IFS=:; x=a:b::c; set -- $x; echo $#; for i in $x; do echo \"[$i]\"; done",
    "IFS=,; set -- 1 2 3; echo \"$*\"; echo \"$@\"",
    "if false; then echo a; elif true; then echo b; else echo c; fi",
    "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done",
    "i=0; until [ $i -ge 2 ]; do i=$((i+1)); [ $i = 1 ] && continue; echo $i; done",
    "for i in 1 2 3 4; do [ $i = 3 ] && break; echo $i; done; echo end $?",
    "for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done",
    "case abc in a) echo 1;; a*|x) echo 2;; *) echo 3;; esac",
    "case x in (x) echo p;; esac; case '*' in '*') echo star;; esac; case b in [a-c]) echo set;; esac",
    "case q in [!a-c]) echo not;; esac; case '' in '') echo empty;; esac",
    "f() { echo in $1 $#; return 3; }; f x y; echo $?",
    "f() { local v=2; echo $v; }; v=1; f; echo $v",
    "f() { if [ $1 -gt 0 ]; then echo $1; f $(($1-1)); fi; }; f 3",
    "(x=2; echo $x); echo ${x:-none}; { y=3; }; echo $y",
    "true && echo a || echo b; false && echo c || echo d; ! true; echo $?; ! false; echo $?",
    "echo a | cat | cat; echo x | { read l; echo got $l; }",
    "false | true; echo $?; true | false; echo $?",
    "echo $(echo inner $(echo deep)); echo `echo tick \\`echo tock\\``",
    "x=$(printf 'a\\nb\\n\\n'); echo \"$x\"; echo $x",
    "x=$(exit 5); echo $?; x=$(false) || echo failed",
    "echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((7%3)) $((-7/2)) $((1<<4)) $((5&3)) $((5|3)) $((5^1)) $((~0))",
    "echo $((1==1)) $((1!=1)) $((2>1)) $((1&&0)) $((1||0)) $((!5)) $((1?2:3)) $((0?2:3))",
    "x=5; echo $((x+1)) $(($x*2)) $((x+=2)) $x; echo $((0x10)) $((010))",
    "cat <<EOF\nhello $((1+1)) `echo y` \\$x\nEOF\necho after",
    "x=v; cat <<'EOF'\nhello $x\nEOF\ncat <<-EOF\n\ttab $x\n\tEOF",
    "cat <<A; cat <<B\none\nA\ntwo\nB\necho end",
    "while read a b; do echo \"$b-$a\"; done <<EOF\n1 2 3\nx y\nEOF",
    "printf 'a:b:c\\n' | { IFS=: read x y; echo $x; echo $y; }",
    "printf '%s-%d-%x\\n' a 10 255; printf '%5s|%-5s|%05d\\n' a b 7; printf '%s\\n' 1 2 3",
    "printf '%b' 'a\\tb\\n'; printf '%%\\n'; printf '%.2s\\n' abcdef; printf '%c\\n' xyz",
    "echo one > f; echo two >> f; cat f; cat < f | wc -l | tr -d ' '; echo three > f; cat f",
    "echo err >&2 2>/dev/null; { echo out; echo err >&2; } 2>/dev/null; ls /nonexistent 2>/dev/null || echo no",
    "exec 3>f; echo x >&3; exec 3>&-; cat f; exec 4<f; read l <&4; echo $l",
    "echo a > a1; echo b > a2; echo a*; echo a?; echo [b]*; echo 'a*'; mkdir d; touch d/x d/y; echo d/*",
    "set -e; true; false || true; if false; then :; fi; echo on; false; echo no",
    "set -e; f() { false; echo reached; }; f || echo caught; f; echo no",
    "set -e; x=$(false); echo no",
    "set -e; (false); echo no",
    "set -e; ! true; echo on; false && true; echo still",
    "set -f; echo *; set +f",
    "eval 'x=1; echo $x'; eval \"echo \\$x\"",
    "x=1 y=2; x=3 sh -c 'echo $x $y'; echo $x; export y; sh -c 'echo $y'",
    "unset x; echo ${x-unset}; x=; echo ${x-unset}${x:-empty}",
    "trap 'echo bye' EXIT; echo hi",
    "trap 'echo a' EXIT; trap - EXIT; echo none",
    "(trap 'echo sub' EXIT; exit 2); echo $?",
    "sleep 0.05 & wait $!; echo $?; (exit 7) & wait $!; echo $?",
    "test a = a && echo 1; test -n '' || echo 2; [ ! -e nofile ] && echo 3; [ a != b -a 1 -lt 2 ] && echo 4",
    "touch e; [ -f e ] && echo f; [ -s e ] || echo empty; [ -d . ] && echo d; ln -s e l; [ -L l ] && echo l",
    "[ '(' a = a ')' ] && echo paren; [ '' ] || echo none; [ x ] && echo some; [ -z '' -o x ] && echo or",
    "echo \"a\\\"b\\$c\\\\d\\`e\"; echo 'a'\\''b'; echo a\\ b; echo \"a\nb\"",
    "# comment\necho a # trailing\necho 'b # no'; echo c#d",
    "echo a\\\nb; echo 'x\\\ny'",
    "a=1; a=$a$a; a=$a$a; echo $a; b='x y'; c=$b; echo \"$c\"",
    "echo ~root >/dev/null; HOME=/h; echo ~ ~/x '~'",
    "cd /tmp; pwd; cd - >/dev/null; cd /; pwd",
    "sh -c 'echo $0 $1' zero one; sh -c 'exit 9'; echo $?",
    "echo 'echo sourced $x; y=2' > s; x=1; . ./s; echo $y",
    "printf '#!/bin/sh\\necho script $1\\nexit 4\\n' > s; chmod +x s; ./s arg; echo $?",
    "echo 'echo from stdin; read x; echo got' | sh",
    "command -v echo; command echo hi; type nothing_here >/dev/null 2>&1 || echo none",
    "getopts ab: o -a -b v; echo $o; getopts ab: o -a -b v; echo $o $OPTARG",
    "x=abc; case $x in *b*) echo has;; esac; x='a*b'; case 'a*b' in \"$x\") echo same;; esac",
    "seq 3; seq 2 4; seq 1 2 5; seq 3 -1 1",
    "printf 'b\\na\\nc\\na\\n' | sort; printf 'b\\na\\na\\n' | sort -u; printf '10\\n9\\n' | sort -n; printf '1\\n2\\n' | sort -r",
    "printf 'a\\na\\nb\\n' | uniq; printf 'a\\na\\nb\\n' | uniq -d",
    "printf '1 2 3\\n4 5 6\\n' | cut -d' ' -f2; echo abcdef | cut -c2-4; echo a:b:c | cut -d: -f1,3",
    "echo hello | tr a-z A-Z; echo 'a  b' | tr -s ' '; echo abc | tr -d b",
    "printf 'one\\ntwo\\nthree\\n' | grep t; printf 'one\\ntwo\\n' | grep -v one; printf 'a\\nb\\na\\n' | grep -c a; echo x | grep -q y; echo $?",
    "printf 'foo1\\nbar22\\n' | grep -E '[0-9]{2}'; printf 'AbC\\n' | grep -i abc; printf 'a.b\\naxb\\n' | grep -F a.b; printf 'x\\ny\\n' | grep -n y",
    "printf 'a b\\nc d\\n' | sed 's/ /-/'; echo aaa | sed 's/a/b/g'; echo abc | sed 's/\\(a\\)\\(b\\)/\\2\\1/'; echo x/y | sed 's|/|:|'",
    "printf '1\\n2\\n3\\n4\\n' | sed -n '2,3p'; printf '1\\n2\\n3\\n' | sed '2d'; printf 'a\\nb\\n' | sed -n '/b/p'; printf '1\\n2\\n' | sed '$d'",
    "echo 'k=v' | sed -n 's/^k=//p'; echo abc | sed -E 's/(b+)/[\\1]/'; printf 'a\\n' | sed 's/a/&&/'; printf 'x\\n' | sed -e 's/x/y/' -e 's/y/z/'",
    "printf '1\\n2\\n3\\n' | head -n 2; printf '1\\n2\\n3\\n' | tail -n 1; printf '1\\n2\\n3\\n' | tail -n +2; printf 'abc' | head -c 2",
    "echo 'a b c' | awk '{print $2}'; echo 'a:b' | awk -F: '{print $2}'; printf '1\\n2\\n' | awk '{s+=$1} END {print s}'; echo x | awk '{print NR, NF}'",
    "echo abc | wc -c | tr -d ' '; printf 'a b\\nc\\n' | wc -w | tr -d ' '",
    "basename /a/b.c .c; dirname /a/b; dirname x; basename /a/",
    "expr 1 + 2; expr 2 '*' 3; expr a = a; expr abc : 'a\\(.*\\)'; expr length abc; expr 5 '>' 3",
    "echo a b c | xargs -n 1 echo; printf '1\\n2\\n' | xargs -I{} echo x{}x; echo 1 2 | xargs",
    "mkdir -p a/b/c; touch a/b/f; find a | sort; find a -type f; find a -name 'b*'; rm -r a; [ -e a ] || echo gone",
    "echo x > f; cp f g; cat g; mv g h; cat h; [ -e g ] || echo moved; ln -s h s; cat s; readlink s; rm f; ls",
    "echo data | tee t; cat t; echo more | tee -a t >/dev/null; cat t",
    "echo hello | md5sum; echo hello | sha256sum; echo hello | base64; echo aGVsbG8K | base64 -d",
    "mkdir d; echo 1 > d/a; tar cf t.tar d; rm -r d; tar xf t.tar; cat d/a; tar tf t.tar | sort",
    "dd if=/dev/zero bs=10 count=2 2>/dev/null | wc -c | tr -d ' '; head -c 3 /dev/zero | od -An -c >/dev/null && echo ok",
    "date -u -d @0 +%Y-%m-%dT%H:%M:%SZ; date -u -d @86400 +%F",
    "umask 022; umask; touch m; chmod 640 m; stat -c %a m; chmod u+x,g-r m; stat -c %a m",
    "x=0; for i in 1 2 3; do x=$((x+i)); done; echo $x; echo $x | { read y; echo $((y*2)); }",
    "f() { echo \"$#:$*\"; }; f; f ''; f a ''; f \"$@\"; set -- ; f \"$@\"; f \"${1-}\"",
    "echo \"${x:-a b}\" ${x:-a b}; echo ${x:-\"a  b\"}; echo \"${x:-$(echo sub)}\"; y='q r'; echo \"${x:-$y}\"",
    "a=b; echo ${a}c \"${a}c\" $a.c $a-c; echo $a$a; echo \"$a\"'$a'$a",
    "echo $? $#; false; echo $?; (exit 3); echo $?",
    "while :; do echo once; break; done; for x in; do echo never; done; echo $?",
    "{ echo a; echo b; } | while read l; do echo \"<$l>\"; done",
    "if [ -n \"$UNSET\" ]; then echo set; else echo unset; fi; : ${D:=def}; echo $D",
    "exit_code() { return $1; }; exit_code 5 && echo yes || echo no $?",
    "echo a; exit 2; echo b",
];

#[tokio::test]
async fn scripts_do_here_what_they_do_in_a_real_shell() {
    let Some(shell) =
        ["/bin/dash", "/usr/bin/dash"].into_iter().find(|path| std::path::Path::new(path).exists())
    else {
        panic!("this test compares with dash, which is not here");
    };
    let field = Field::new(&["sleep", "1000"]);
    let _container = field.start().await.expect("it starts");
    let mut different = Vec::new();
    for (number, script) in SCRIPTS.iter().enumerate() {
        let real = tempfile::tempdir().expect("a directory");
        let output = Command::new(shell)
            .args(["-c", script])
            .current_dir(real.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .output()
            .expect("it runs");
        let inside = field.sh(&format!("mkdir /tmp/w{number}")).await;
        assert_eq!(inside.code, 0, "{}", inside.output);
        let wrapped = field
            .exec(&[
                "sh",
                "-c",
                "cd $1; unset A; shift; exec sh -c \"$1\" 2>/dev/null",
                "sh",
                &format!("/tmp/w{number}"),
                script,
            ])
            .await;
        let (real, code) = (String::from_utf8_lossy(&output.stdout), output.status.code().unwrap_or(-1));
        if wrapped.output.replace("/bin/sh", "sh") != real.replace(shell, "sh") || wrapped.code != code {
            different.push(format!(
                "{script}\n  real {code}: {real:?}\n  here {}: {:?}",
                wrapped.code, wrapped.output
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {} differ:\n{}",
        different.len(),
        SCRIPTS.len(),
        different.join("\n")
    );
}
