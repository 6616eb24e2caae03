//! The files of a router, at a router of the lab gsmr that the simulator runs: `| redirect`, `dir`,
//! `more`, `copy`, `delete` and `configure replace`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use eidway::console::flash::{LARGEST_FILE, MOST_FILES};
use eidway::console::view::machine::{FileView, FilesView};
use eidway::lab::built_in;
use eidway::lab::running::RunningLab;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};

/// The console of xTR1.
struct Console(Simulated);

impl Console {
    fn new() -> Self {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        Console(Simulated::up(lab, Options::new(Seed::from_number(1))).unwrap())
    }

    /// Types a line, which is carried out. Returns its text.
    #[track_caller]
    fn run(&mut self, line: &str) -> String {
        let answer = self.0.console("xTR1", line).unwrap();
        assert!(answer.done.ok, "{line}: {}", answer.text);
        answer.text
    }

    /// Types a line, which is refused. Returns its text.
    #[track_caller]
    fn refused(&mut self, line: &str) -> String {
        let answer = self.0.console("xTR1", line).unwrap();
        assert!(!answer.done.ok, "{line}: {}", answer.text);
        answer.text
    }

    /// Types the lines of a configuration.
    fn configure(&mut self, lines: &[&str]) {
        for line in [&["configure terminal"], lines, &["end"]].concat() {
            self.run(line);
        }
    }
}

#[test]
fn an_output_is_written_appended_and_printed_as_well() {
    let mut console = Console::new();
    let arp = console.run("show ip interface brief");
    assert_eq!(console.run("show ip interface brief | redirect flash:a"), "");
    assert_eq!(console.run("more flash:a"), arp);
    assert_eq!(console.run("show ip interface brief | append a"), "");
    assert_eq!(console.run("more a"), format!("{arp}{arp}"));
    let line = "show ip interface brief | include Ethernet0/0";
    let selected = console.run(line);
    assert_eq!(selected.lines().count(), 1);
    assert_eq!(console.run(&format!("{line} | tee bootflash:/a")), selected);
    assert_eq!(console.run("more a | include Ethernet"), selected);
    assert_eq!(console.run(&format!("{line} | tee /append a")), selected);
    assert_eq!(console.run("more a | count Ethernet0"), "Number of lines which match regexp = 2\n");
    // The output of a command that runs for some time.
    assert_eq!(console.run("ping 172.16.0.12 | redirect ping.txt"), "");
    assert!(console.run("more ping.txt").contains("Success rate is "));
    console.run("show version | json | redirect v.json");
    assert!(console.run("more v.json").starts_with("{\"hostname\":\"xTR1\""));
    let file: FileView = serde_json::from_str(&console.run("more v.json json")).unwrap();
    assert_eq!((file.file.as_str(), file.lines.unwrap().len()), ("flash:/v.json", 1));
    assert!(console.run("show tech-support | redirect tech").is_empty());
    assert!(console.run("more tech").contains("------------------ show logging"));
}

#[test]
fn files_are_listed_and_deleted_and_stay_after_a_restart() {
    let mut console = Console::new();
    let empty = "Directory of flash:/\n\nNo files in directory\n\n";
    assert!(console.run("dir").starts_with(empty));
    console.run("show clock | redirect one");
    console.run("show version | redirect two.txt");
    let files: FilesView = serde_json::from_str(&console.run("dir json")).unwrap();
    assert_eq!(files.flash.unwrap().files.len(), 2);
    let dir = console.run("dir flash:");
    let rows: Vec<Vec<&str>> =
        dir.lines().skip(2).take(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((rows[0][..2].concat(), *rows[0].last().unwrap()), ("1-rw-".to_owned(), "one"));
    assert_eq!(*rows[1].last().unwrap(), "two.txt");
    let size = console.run("show clock").len();
    assert_eq!(rows[0][2], size.to_string(), "{dir}");
    assert!(dir.contains(" Jan 01 2026 "), "{dir}");
    assert!(dir.contains("\n4194304 bytes total (") && dir.ends_with(" bytes free)\n"), "{dir}");
    let flash = console.run("show flash:");
    assert!(flash.starts_with("-#- --length-- -----date/time------ path\n1  "), "{flash}");
    assert!(console.run("dir nvram:").contains("startup-config"));
    assert!(console.run("show file systems").contains("flash: bootflash:"));
    console.run("delete flash:one");
    console.run("delete /force two.txt");
    assert!(console.run("dir").starts_with(empty));
    let missing = "%Error deleting flash:/one (No such file or directory)\n";
    assert_eq!(console.refused("delete flash:one"), missing);
    let missing = "%Error opening flash:/one (No such file or directory)\n";
    assert_eq!(console.refused("more flash:one"), missing);
    assert_eq!(console.refused("copy flash:one running-config"), missing);
    console.run("show clock | redirect kept");
    console.run("reload");
    assert!(console.run("dir").contains("kept"));
    assert!(console.0.console("xTR2", "dir").unwrap().text.starts_with(empty), "another router");
}

#[test]
fn configurations_are_copied_between_running_startup_and_files() {
    let mut console = Console::new();
    let before = console.run("show running-config");
    assert!(console.run("copy running-config flash:backup").ends_with(" bytes copied\n"));
    console.configure(&[
        "hostname Other",
        "interface Loopback7",
        "ip route 10.1.0.0 255.255.0.0 Null0",
    ]);
    // A copy adds the lines of the file; it removes no line.
    console.run("copy flash:backup running-config");
    let merged = console.run("show running-config");
    assert!(merged.contains("\nhostname xTR1\n") && merged.contains("\ninterface Loopback7\n"));
    assert_eq!(
        console.run("configure replace flash:backup"),
        "Total number of passes: 1\nRollback Done\n"
    );
    assert_eq!(console.run("show running-config"), before);
    // The output of `show running-config` is a configuration too.
    console.run("show running-config | redirect shown");
    console.configure(&["hostname Other"]);
    assert_eq!(
        console.run("configure replace shown force"),
        "Total number of passes: 1\nRollback Done\n"
    );
    assert_eq!(console.run("show running-config"), before);
    console.configure(&["hostname Saved"]);
    assert!(console.run("copy run start").contains("[OK]"));
    console.run("copy startup-config flash:s");
    assert!(console.run("more s").contains("hostname Saved\n"));
    assert_eq!(console.run("more s"), console.run("more nvram:startup-config"));
    console.configure(&["hostname Lost"]);
    console.run("configure memory");
    assert!(console.run("more system:running-config").contains("hostname Saved\n"));
    console.run("copy flash:backup startup-config");
    console.run("copy startup-config running-config");
    assert_eq!(console.run("show running-config"), before);
    console.run("copy backup second");
    assert_eq!(console.run("more second"), console.run("more backup"));
}

#[test]
fn a_wrong_line_of_a_file_is_named_with_its_number() {
    let mut console = Console::new();
    let before = console.run("show running-config");
    // The output of a show is no configuration.
    console.run("show ip interface brief | redirect wrong");
    let text = console.refused("configure replace wrong");
    assert!(
        text.contains("% flash:/wrong:1: `Interface ") && text.contains("is not applied"),
        "{text}"
    );
    assert!(text.ends_with("% The running configuration is unchanged\n"), "{text}");
    assert_eq!(console.run("show running-config"), before);
    let text = console.run("copy wrong running-config");
    assert!(
        text.contains("% flash:/wrong:1: `Interface ") && text.ends_with("bytes copied\n"),
        "{text}"
    );
    assert_eq!(console.run("show running-config"), before);
}

#[test]
fn a_name_that_leads_elsewhere_is_refused_before_the_output() {
    let mut console = Console::new();
    for name in [
        "../x",
        "a/b",
        "/etc/passwd",
        ".hidden",
        "flash:",
        "flash:../x",
        "tftp://192.0.2.1/x",
        "nvram:x",
        "flash:é",
    ] {
        for line in [
            format!("show clock | redirect {name}"),
            format!("show clock | tee {name}"),
            format!("more {name}"),
            format!("delete {name}"),
            format!("copy running-config {name}"),
            format!("copy {name} running-config"),
            format!("configure replace {name}"),
        ] {
            let text = console.refused(&line);
            assert!(text.contains("% ") && !text.contains("UTC"), "{line}: {text}");
        }
    }
    let long = "x".repeat(65);
    assert!(console.refused(&format!("show clock | redirect {long}")).contains("1 to 64 letters"));
    for line in [
        "copy running-config running-config",
        "copy a flash:a",
        "dir tftp:",
        "clear counters | redirect a",
        "conf t | include x",
    ] {
        console.refused(line);
    }
    assert!(console.run("dir").contains("No files in directory"));
}

#[test]
fn a_router_keeps_so_many_octets_and_files_and_an_old_file_stays_if_there_is_no_room() {
    let mut console = Console::new();
    console.run("show running-config | redirect 0");
    // The file doubles until it is too large.
    let mut text = String::new();
    while text.is_empty() {
        text = match console.0.console("xTR1", "more 0 | append 0").unwrap() {
            answer if answer.done.ok => String::new(),
            answer => answer.text,
        };
    }
    assert!(text.starts_with("%Error opening flash:/0 (File too large"), "{text}");
    let size = console.run("more 0").len();
    assert!((LARGEST_FILE / 2..=LARGEST_FILE).contains(&size), "{size}");
    let mut number = 1;
    let full = loop {
        let answer = console.0.console("xTR1", &format!("copy 0 {number}")).unwrap();
        if !answer.done.ok {
            break answer.text;
        }
        number += 1;
    };
    assert!(full.contains("(No space left on device"), "{full}");
    assert!(number >= 4, "{number}");
    let before = console.run("dir");
    assert!(console.refused("more 0 | append 1").contains("File too large"));
    assert_eq!(console.run("dir"), before);
    for file in 0..number {
        console.run(&format!("delete {file}"));
    }
    for file in 0..MOST_FILES {
        console.run(&format!("show clock | redirect {file}"));
    }
    let text = console.refused("show clock | redirect more");
    let refusal = "(No space left on device: it already has 64 files, the maximum number)";
    assert!(text.contains(refusal), "{text}");
    console.run("show version | redirect 0");
}
