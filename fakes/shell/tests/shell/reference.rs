//! The same scripts here and in a real shell, where there is one.

use std::io::Write as _;
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
    "for f in *.txt; do echo $f; done; touch a.txt; for f in *.txt; do echo $f; done",
    "i=10; while true; do i=$((i-1)); if [ $i -eq 5 ]; then break; fi; done; echo $i",
    "n=0; while [ \"$n\" -lt 3 ]; do n=$((n + 1)); case $n in 2) continue;; esac; echo \"n=$n\"; done",
    "retry() { local n=0; until \"$@\"; do n=$((n+1)); [ $n -ge 3 ] && return 1; done; }; retry false; echo $?; retry true; echo $?",
    "x=$(cat <<EOF\nline one\nline two\nEOF\n); echo \"$x\"",
    "cat <<EOF | tr a-z A-Z\nupper me\nEOF",
    "f() { cat; }; f <<X\nfrom doc\nX\necho done",
    "if ! grep -q nothing /dev/null; then echo none; fi",
    "echo 'a=1\nb=2' > env; . ./env; echo $a$b",
    "set -- a b c; while [ $# -gt 0 ]; do echo $1; shift; done",
    "set -- -x --name=v rest; for a; do case $a in --*=*) echo ${a#*=};; -*) echo flag $a;; *) echo arg $a;; esac; done",
    "x=; [ -z $x ] && echo empty; [ -n \"$x\" ] || echo none",
    "a='1 2 3'; for i in $a; do echo -n; printf '%s,' $i; done; echo",
    "echo \"$(echo \"nested \\\"quotes\\\"\")\"; echo \"$(echo ')')\"",
    "x='$(echo no)'; echo $x; eval echo $x",
    "trap 'echo caught; exit 3' TERM; kill -TERM $$; echo not",
    "trap 'echo int' INT; kill -INT $$; echo after",
    "(sleep 0.05; echo late) & echo early; wait; echo done",
    "{ sleep 0.05; echo a; } & p1=$!; { echo b; } & p2=$!; wait $p1 $p2; echo $?",
    "f() { return 1; }; if f; then echo y; else echo n $?; fi",
    "echo $((010 + 0x1f)) $((1 ? 10 : 20)) $((3 - -2)) $((2 * (3 + 4)))",
    "a=5; : $((a = a * 2)); echo $a; b=$((a > 5 ? a : 5)); echo $b",
    "echo ${#} ${0##*/} | sed 's/dash/sh/'",
    "unset v; echo ${v:-$(echo default)}; v=set; echo ${v:+alt} ${v#s}",
    "p=/usr/local/bin/prog; echo ${p##*/} ${p%/*}; e=file.tar.gz; echo ${e%%.*} ${e#*.}",
    "x=aXbXc; echo ${x#*X} ${x##*X} ${x%X*} ${x%%X*}",
    "echo 'one two' | while read a b; do echo $b $a; done; echo 'x' | (read y; echo $y)",
    "printf 'l1\\nl2\\n' > f; while read -r l; do echo \"> $l\"; done < f",
    "printf 'no newline' | while read -r l || [ -n \"$l\" ]; do echo \"$l\"; done",
    "exec > out; echo hidden; exec >&2; cat out",
    "exec 5>&1; echo to5 >&5; exec 5>&-; echo x 2>&1 >/dev/null | cat",
    "ls nofile 2>&1 >/dev/null | wc -l | tr -d ' '",
    "(exit 3) || echo \"rc $?\"; false; echo rc $?; : ; echo rc $?",
    "set -e; if [ 1 = 2 ]; then echo a; fi; echo b; [ 1 = 1 ] && echo c; echo d",
    "set -eu; x=1; echo $x; echo ${y:-none}; echo $y; echo unreachable",
    "set -e; f() { echo f; false; echo g; }; f; echo h",
    "set -e; for i in 1 2; do [ $i = 1 ] || false; echo $i; done; echo end",
    "set -e; while false; do :; done; until true; do :; done; echo fine",
    "set -e; false | true; echo pipe; true | false; echo no",
    "echo a >f1; echo b >f2; cat f1 f2 nofile 2>/dev/null; echo $?",
    "mkdir -p x/y && cd x/y && pwd | sed 's|.*/x/|x/|'; cd ..; ls",
    "date +%Y >/dev/null && echo ok; sleep 0; echo $?",
    "echo abc | sed 's/b/\\n/'; echo 'a/b' | sed 's/\\//-/'; printf 'x\\n' | sed 's/x/a\\tb/' | wc -c | tr -d ' '",
    "printf 'a\\nb\\nc\\n' | sed -n '2{p;q}'; printf 'a\\nb\\n' | sed '/a/{s/a/z/;}'; printf '1\\n2\\n3\\n' | sed -n '$p'",
    "printf 'k1=v1\\nk2=v2\\n' | sed -n 's/^k2=\\(.*\\)/\\1/p'; printf 'a b\\n' | sed 's/\\([a-z]\\) \\([a-z]\\)/\\2 \\1/'",
    "printf 'a\\nb\\n' | sed '1i\\\nfirst'; printf 'a\\n' | sed 'a\\\nlast'; printf 'x\\ny\\n' | sed '1!d'; printf 'a\\nb\\nc\\n' | sed '2,$d'",
    "printf 'a\\nb\\nc\\n' | sed ':a;N;$!ba;s/\\n/,/g'; printf 'abc\\n' | sed 'y/abc/xyz/'",
    "printf 'name: x\\nage: 3\\n' | awk '/age/ {print $2}'; printf '1 a\\n2 b\\n' | awk '$1 > 1 {print $2}'; echo | awk 'BEGIN {print 1+2*3, \"s\" \"t\"}'",
    "printf 'a,b\\n' | awk -F, '{printf \"%s-%s\\n\", $1, $2}'; printf '1\\n2\\n3\\n' | awk 'NR==2'; echo 'a b c' | awk '{print $NF; print NF}'",
    "awk -v x=5 'BEGIN {if (x > 3) print \"big\"; else print \"small\"}'; printf 'b 1\\na 2\\n' | awk '{s=s $1} END {print s, length(s)}'",
    "printf '3 c\\n1 a\\n2 b\\n' | sort; printf 'a 3\\nb 1\\n' | sort -k2; printf 'a:3\\nb:10\\n' | sort -t: -k2 -n; printf 'b\\na\\n' | sort -r",
    "printf 'x\\n' > a; printf 'y\\n' > b; cmp -s a b || echo differ; diff a b >/dev/null; echo $?",
    "printf 'abc\\ndef\\n' | grep -o '[a-c]*'; printf 'foo\\nbar\\n' | grep -e foo -e bar; printf 'a1\\nb2\\n' | grep '[[:digit:]]' | wc -l | tr -d ' '",
    "echo 'foo bar' | grep -w foo; printf 'one\\n' > g1; printf 'two\\none\\n' > g2; grep one g1 g2; grep -l two g1 g2; grep -h one g1 g2",
    "printf '1\\n2\\n3\\n4\\n5\\n' | grep -A1 2; printf '1\\n2\\n3\\n' | grep -B1 3; grep x nofile 2>/dev/null; echo $?",
    "echo 'hello world' | cut -d' ' -f1; printf 'a\\tb\\n' | cut -f2; echo abc | cut -c1,3; echo a-b-c | cut -d- -f2-",
    "echo abc | tr 'a-c' 'A-C'; echo 'a1b2' | tr -d '0-9'; echo 'x  y' | tr -s ' ' '_'; echo abc | tr -cd 'ab'; echo",
    "printf 'a b c' | xargs -n2 echo; echo 'a b' | xargs -I% echo [%]; printf 'x y\\nz\\n' | xargs sh -c 'echo $# $0'",
    "mkdir t; touch t/a.txt t/b.log; find t -name '*.txt'; find t -type f | wc -l | tr -d ' '; find t -name '*.log' -exec echo found {} \\;",
    "find nodir 2>/dev/null; echo $?; mkdir d1; find d1 -maxdepth 0; rmdir d1; [ -d d1 ] || echo gone",
    "touch f; mv f g; ls; cp g h; ls; rm g h; ls; echo end",
    "mkdir -p s/t; echo 1 > s/t/f; cp -r s c; cat c/t/f; rm -rf s c; ls",
    "echo x > orig; ln -s orig link; cat link; [ -h link ] && readlink link; rm orig; cat link 2>/dev/null || echo dangling",
    "printf '%d items\\n' 3; printf '%s\\n' \"a b\" c; printf '%03d|%+d|% d\\n' 7 7 7; printf '[%8.3s]\\n' abcdef; printf 'no args %s\\n'",
    "printf '%x %X %o\\n' 255 255 8; printf '\\101\\x41\\n' | cut -c1; printf '%s %s\\n' a b c",
    "test 1 -lt 2 -a 3 -gt 2 && echo and; test 1 -gt 2 -o 1 -eq 1 && echo or; test ! 1 = 2 && echo not; test -z \"\" && echo z",
    "case \"$(uname)\" in Linux) echo linux;; *) echo other;; esac; case 5 in [0-9]) echo digit;; esac; case ab in a?) echo two;; esac",
    "a=x; b=y; echo \"$a$b\" $a$b \"${a}_${b}\" $a-$b; c=\"$a $b\"; set -- $c; echo $#",
    "f() { for x in \"$@\"; do printf '<%s>' \"$x\"; done; echo; }; f a 'b c' '' d; f $(echo 1 2); f \"$(echo 1 2)\"; f *nomatch*",
    "IFS='\n'; x='a b\nc d'; for l in $x; do echo \"[$l]\"; done",
    "read a b <<E\none two three\nE\necho $a / $b; printf 'a\\\\tb\\n' | { read -r x; printf '%s\\n' \"$x\"; }",
    "x=1; (x=2); echo $x; { x=3; }; echo $x; x=4 true; echo $x; x=5 :; echo $x",
    "f() { x=global; local y=loc; }; f; echo $x ${y-unset}; g() { local x=l; f2; }; f2() { echo $x; }; g",
    "echo start; return 0 2>/dev/null; echo end",
    "umask 077; touch p; stat -c %a p; mkdir q; stat -c %a q",
    "echo 12 > n; x=$(cat n); echo $((x / 5)) $((x % 5)); [ \"$(cat n)\" -eq 12 ] && echo same",
    "kill -0 $$ && echo alive; kill -0 999999 2>/dev/null || echo dead",
    "sh -c 'exit 3'; echo $?; sh -c 'kill -9 $$' 2>/dev/null; echo $?; sh -ec 'false; echo no'; echo $?",
    "echo 'echo $1 $#' > sc; sh sc a b; sh -s x y < sc; cat sc | sh -s z",
    "yes 2>/dev/null | head -3; seq 1000000 | head -2; echo ${PIPESTATUS-none}",
    "timeout 5 echo quick; timeout 5 sh -c 'exit 4'; echo $?",
    "env -i X=1 sh -c 'echo $X'; X=2 env | grep '^X='; env Y=3 sh -c 'echo $Y'",
    "basename $(pwd) >/dev/null; dirname /a/b/c; echo $(basename /x/y.sh .sh)",
    "nl=$(printf '\\nx'); nl=${nl%x}; echo \"a${nl}b\"; t=$(printf '\\t'); echo \"a${t}b\" | wc -c | tr -d ' '",
    "echo a;echo b;{ echo c;};(echo d);if true;then echo e;fi;for i in 1;do echo f;done",
    "true &&\necho next\nfalse ||\necho other\necho a |\ncat",
    "foo=bar cmd=echo; $cmd $foo; e=; $e echo empty; \"echo\" quoted; ec\"ho\" joined",
    "echo {a,b} \\{x; echo 'a'\"b\"c; echo $'' 2>/dev/null | head -0; echo -- x",
    "alias_none=1; echo ${alias_none}; _u=2; echo $_u; A1=3; echo $A1",
    "echo 1 2 3 | { read a rest; echo $rest; }; echo ' lead  trail ' | { read x; echo \"[$x]\"; }",
    "mkfifo_missing=1; (echo sub; exit 7); echo $?; (cd / && pwd); pwd | wc -l | tr -d ' '",
];

#[tokio::test]
async fn scripts_do_here_what_they_do_in_a_real_shell() {
    let Some(shell) =
        ["/bin/dash", "/usr/bin/dash"].into_iter().find(|path| std::path::Path::new(path).exists())
    else {
        return say("lanes: dash did not run (no dash on this machine)");
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
    say(&format!("lanes: dash ran {}", SCRIPTS.len()));
}

/// A line on the test's own standard output, which the test harness captures only where it is printed by a macro.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Who reads it may be gone.
    let _ = out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush());
}
