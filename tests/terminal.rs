//! A user at the terminal of `eidway console`. The terminal is a pane of tmux, so the tests see the
//! screen as a user sees it. The lab is simulated: the tests need no root.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod simulated;

use std::process::Command;
use std::time::Duration;

use simulated::{Simulated, text};

/// The columns and lines of the screen.
const SCREEN: (&str, &str) = ("80", "24");

/// Whether tmux is installed.
fn has_tmux() -> bool {
    let has = Command::new("tmux").arg("-V").output().is_ok();
    let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
    assert!(has || skip, "tmux is not installed; EIDWAY_ALLOW_SKIP=1 skips this test");
    has
}

/// A user at the console of a router.
struct User {
    /// The directory with the socket of the tmux server of this user.
    directory: tempfile::TempDir,
    _lab: Option<Simulated>,
}

impl User {
    /// A user at the console of xTR1 in a simulated lab. `None` if tmux is not installed.
    fn new(test: &str, pace: &str) -> Option<Self> {
        if !has_tmux() {
            return None;
        }
        let lab = Simulated::up_as(test, "two-sites", pace, &[]);
        lab.expect("xTR1", "show clock", |text| text.starts_with('*'));
        let console = format!("console {}/xTR1", lab.1);
        let user = User::at(&console, Some(lab));
        user.expect("the prompt", |screen| screen == "xTR1#");
        Some(user)
    }

    /// A user of `eidway ARGUMENTS`.
    fn at(arguments: &str, lab: Option<Simulated>) -> Self {
        let user = User { directory: tempfile::tempdir().unwrap(), _lab: lab };
        let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_eidway"));
        let (columns, lines) = SCREEN;
        // Without a configuration, the server has the options that the test expects.
        user.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", lines, &command]);
        user
    }

    fn server(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.directory.path().join("tmux"));
        command
    }

    fn tmux(&self, args: &[&str]) -> String {
        let output = self.server().args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Presses keys. Each argument is a text, or the name of a key in tmux.
    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// The screen, without the empty lines at its end.
    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).trim_end().to_owned()
    }

    /// Waits until the screen is as expected, for at most 20 seconds.
    #[expect(clippy::disallowed_methods, reason = "another process, on the real clock")]
    fn expect(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let began = std::time::Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(began.elapsed().as_secs() < 20, "{what}: the screen is\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys on an empty screen, and waits until the screen shows `expected`.
    fn expect_after(&self, keys: &[&str], expected: &str) {
        self.press(keys);
        self.expect(expected, |screen| screen.ends_with(expected));
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.server().arg("kill-server").output();
    }
}

#[test]
fn question_marks_tabs_and_errors_look_as_on_ios() {
    let Some(user) = User::new("t-keys", "1") else { return };
    for (keys, expected) in [
        (&["show ip li?"][..], "xTR1#show ip li?\nlisp\n\nxTR1#show ip li"),
        (&["C-u", "sh ver", "Tab", "x"], "xTR1#sh version x"),
        (&["C-u", "show i", "Enter"], "xTR1#show i\n% Ambiguous command:  \"show i\"\nxTR1#"),
        (
            &["show xyz", "Enter"],
            "xTR1#show xyz\n          ^\n% Invalid input detected at '^' marker.\n\nxTR1#",
        ),
        (&["show xyz", "C-a", "no ", "C-e", "!"], "xTR1#no show xyz!"),
        (&["C-u", "Up"], "xTR1#show xyz"),
        (&["BSpace", "BSpace", "BSpace", "clock", "Left", "Left", "?"], "k\n\nxTR1#show clock"),
    ] {
        user.expect_after(keys, expected);
    }
}

#[test]
fn a_long_output_stops_at_each_screen() {
    let Some(user) = User::new("t-pages", "1") else { return };
    user.press(&["show running-config", "Enter"]);
    let first = user.expect("a page", |screen| screen.ends_with("\n --More--"));
    assert_eq!(first.lines().count(), 24, "{first}");
    user.press(&["Enter"]);
    let second = user.expect("a line", |screen| screen != first && screen.ends_with("--More--"));
    assert_eq!(second.lines().nth(21), first.lines().nth(22), "one line further");
    user.press(&["q"]);
    user.expect("the prompt", |screen| screen.ends_with("\nxTR1#"));
    assert!(!user.screen().contains("More"), "the prompt between screens is gone");
    user.press(&["show running-config", "Enter"]);
    user.expect("a page", |screen| screen.ends_with("\n --More--"));
    user.press(&["Space", "Space", "Space", "Space"]);
    user.expect("the end", |screen| screen.ends_with("\nend\nxTR1#"));
    user.press(&["C-c"]);
    user.press(&["terminal length 0", "Enter", "show running-config", "Enter"]);
    user.expect("the end", |screen| screen.ends_with("\nend\nxTR1#"));
}

#[test]
fn control_z_ends_the_configuration_and_control_c_discards_the_line() {
    let Some(user) = User::new("t-control", "1") else { return };
    user.expect_after(&["conf t", "Enter"], "xTR1(config)#");
    user.expect_after(&["interface lo7", "Enter", "descr x", "C-c"], "#descr x^C\nxTR1#");
    user.expect_after(&["conf t", "Enter", "hostname Z", "C-z"], "(config)#hostname Z^Z\nZ#");
    user.expect_after(&["show ver", "C-c"], "Z#show ver^C\nZ#");
    user.expect_after(&["conf t", "Enter", "hostname xTR1", "Enter", "C-z"], "(config)#^Z\nxTR1#");
    // An interrupted ping ends long before its last echo.
    user.press(&["ping 203.0.113.99 repeat 1000", "Enter"]);
    user.expect("the first echo", |screen| screen.contains("\n."));
    user.press(&["C-c"]);
    user.expect("the end of the ping", |screen| screen.ends_with("\nxTR1#"));
    user.press(&["exit", "Enter"]);
    let gone = || !user.server().arg("ls").output().unwrap().status.success();
    for _ in 0..500 {
        if gone() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the console has not ended");
}

#[test]
fn debug_lines_stand_above_the_line_that_the_user_types() {
    // The registrations are sent every minute of the lab, which is every second here.
    let Some(user) = User::new("t-monitor", "60") else { return };
    user.press(&["terminal monitor", "Enter", "debug lisp control-plane all", "Enter"]);
    user.expect("debugging", |screen| screen.contains("debugging is on"));
    user.press(&["show ver"]);
    let screen = user.expect("a debug line", |screen| {
        let mut lines = screen.lines().rev();
        lines.next() == Some("xTR1#show ver")
            && lines.next().is_some_and(|line| line.contains("LISP"))
    });
    assert_eq!(screen.matches("show ver").count(), 1, "{screen}");
    user.press(&["sion | include Version", "Enter"]);
    user.expect("the answer", |screen| screen.contains("virtual router, Version"));
}

#[test]
fn a_paste_of_500_lines_with_refused_blocks_does_no_harm() {
    let Some(user) = User::new("t-paste", "1") else { return };
    let mut lines = vec!["configure terminal".to_owned()];
    for number in 0..80 {
        lines.extend([
            format!("interface Loopback{number}"),
            format!(" description line {number}"),
            " exit".to_owned(),
            "interface Nonsense9".to_owned(),
            " description a line of a refused block".to_owned(),
            " exit".to_owned(),
        ]);
    }
    lines.extend(
        ["end", "exit", "terminal length 0", "show running-config | count line"].map(str::to_owned),
    );
    let path = user.directory.path().join("paste");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    user.tmux(&["load-buffer", &path.display().to_string()]);
    user.tmux(&["paste-buffer"]);
    user.expect("the last answer", |screen| {
        screen.ends_with("Number of lines which match regexp = 80\nxTR1#")
    });
}

#[test]
fn a_lesson_has_the_keys_of_a_console_and_opens_consoles() {
    if !has_tmux() {
        return;
    }
    let user = User::at("lab learn gsmr first-packet --sim", None);
    let more = |screen: &str| screen.ends_with("--More--");
    let is_page = |screen: &str| more(screen) || screen.ends_with("task 1>");
    let mut page = user.expect("a page", is_page);
    while more(&page) {
        user.press(&["Space"]);
        page = user.expect("the next page", |screen| screen != page && is_page(screen));
    }
    for (keys, expected) in [
        (&["xT", "Tab"][..], "task 1>xTR"),
        (&["2", "Enter"], "xTR2#"),
        (&["sh ip li map?"], "map-cache\n\nxTR2#sh ip li map"),
        (&["-", "Tab", "Enter"], "action: send-map-request\nxTR2#"),
        (&["exit", "Enter"], "xTR2#exit\ntask 1>"),
        (&["ping B A count 1", "Enter"], "== Task 1 of 6 is done. `next` goes on.\ntask 1 done>"),
        (&["hint", "Enter"], "console.\ntask 1 done>"),
        (
            &["Up", "Up", "C-u", "tasks", "Enter"],
            "6. Ask while a map-resolver is dead\ntask 1 done>",
        ),
    ] {
        user.expect_after(keys, expected);
    }
}
