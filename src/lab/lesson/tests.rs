use super::*;
use crate::lab::built_in;
use crate::lab::failure::Failure;
use crate::lab::scenario::Action;
use proptest::prelude::*;

/// A correct lesson. The tests change it.
const RIGHT: &str = "\
# The title

Prose of the lesson.

```lab
overlay xTR1 {
 router lisp
}
wait 1s
```

## First task

Text of the task.

```text
interface ethernet 1/0
```

### A heading in the text

```begin
capture wire = xTR1:Ethernet0/0
```

```hint
One hint.
```

```hint
Another hint.
```

```answer
# A comment about the next command.
at xTR1: show clock

send map-request at Core1 from 203.0.113.11 to 198.51.100.21 {
  smr
  eid 192.168.0.22/32
}
# The end.
```

```check
# Words about
# the result.
show xTR1 \"show clock\" contains \"UTC\"
packets wire at-least 1 \"lisp\"
```
";

fn read_text(text: &str) -> Result<Lesson, String> {
    let lab = built_in::find("gsmr").unwrap().unwrap();
    let beside = |name: &str| match name {
        "wait.include" => Ok("wait 1s\n".to_owned()),
        _ => Err(Failure::new("no such file")),
    };
    parse("d/x.lesson", text, &lab.file, &beside).map_err(|error| error.to_string())
}

#[test]
fn a_lesson_has_prose_tasks_hints_answers_and_checks() {
    let lesson = read_text(RIGHT).unwrap();
    assert_eq!((lesson.name.as_str(), lesson.title.as_str()), ("x", "The title"));
    assert_eq!(lesson.prose, "Prose of the lesson.");
    assert_eq!(lesson.setup.overlays["xTR1"], " router lisp\n");
    assert_eq!(lesson.setup.steps[0].line, 9);
    let [task] = &lesson.tasks[..] else { panic!("{lesson:?}") };
    assert_eq!((task.title.as_str(), task.line), ("First task", 12));
    assert!(task.text.starts_with("Text of the task.") && task.text.contains("```text\ninterface"));
    assert!(task.text.ends_with("### A heading in the text"), "{}", task.text);
    assert_eq!(task.hints, ["One hint.", "Another hint."]);
    assert!(matches!(&task.begin[0].action, Action::Capture { name, .. } if name == "wire"));
    let [show, send] = &task.answer[..] else { panic!("{task:?}") };
    assert_eq!(show, "at xTR1: show clock");
    assert!(send.starts_with("send map-request") && send.ends_with("\n}"), "{send}");
    let words: Vec<&str> = task.checks.iter().map(|check| check.words.as_str()).collect();
    let expected = [
        "Words about the result.",
        "in the capture wire, the packets with lisp: at least 1 packets",
    ];
    assert_eq!(words, expected);
}

#[test]
fn answers_are_shown_only_to_a_program_that_asks_for_them() {
    let lesson = read_text(RIGHT).unwrap();
    let json = |answers| serde_json::to_value(lesson.view(answers)).unwrap();
    assert!(!json(false).to_string().contains("show clock"));
    assert_eq!(json(true)["tasks"][0]["answer"][0], "at xTR1: show clock");
    assert_eq!(json(false)["tasks"][0]["hints"][1], "Another hint.");
}

#[test]
fn an_error_has_file_line_and_caret_and_says_what_to_do() {
    let changed = |from: &str, to: &str| {
        assert_eq!(RIGHT.matches(from).count(), 1, "{from:?}");
        read_text(&RIGHT.replace(from, to)).unwrap_err()
    };
    for (from, to, place, message) in [
        ("# The title", "The title", "1:1", "a lesson begins with its title: `# TITLE`"),
        ("# The title", "#The title", "1:1", "a blank must follow the `#`"),
        ("Prose of the lesson.", "# Again", "3:1", "write `## TITLE` for a task"),
        ("Prose of the lesson.", "```hint\nx\n```", "3:1", "the block `hint` belongs to a task"),
        ("Prose of the lesson.", "```lab\n```", "6:1", "a lesson can have only one block `lab`"),
        ("Text of the task.", "```lab\n```", "14:1", "stands before the first task"),
        ("## First task", "##", "12:1", "the heading has no text"),
        ("## First task", "### First task", "22:1", "the block `begin` belongs to a task"),
        ("```text", "```txt", "16:1", "there is no block `txt`; the blocks are `lab`"),
        ("One hint.", "", "26:1", "this hint is empty"),
        ("wire = xTR1", "wire = xTR9", "23:16", "this is not a node of the lab"),
        ("wait 1s", "wate 1s", "9:1", "wate is not a statement"),
        ("wait 1s", "title \"x\"", "9:1", "the title of a lesson is its heading"),
        ("at xTR1: show clock", "include \"wait.include\"", "36:1", "only in the block `lab`"),
        ("at xTR1: show clock", "middle", "36:1", "this statement is not possible in a lesson"),
        ("packets wire", "packets wer", "49:1", "write `capture wer = NODE:INTERFACE` there"),
        (" contains \"UTC\"", "", "48:1", "a check cannot change the lab: write `show"),
        ("show xTR1 \"show clock\" contains \"UTC\"", "wait 1s", "48:1", "a check cannot change"),
        ("1 \"lisp\"\n```", "1 \"lisp\"", "45:1", "no end: a line with ``` is missing"),
    ] {
        let error = changed(from, to);
        let place = format!("d/x.lesson:{place}\n");
        assert!(error.contains(message) && error.contains('^'), "{to}: {error}");
        assert!(error.contains(&place), "{to}: {place} {error}");
    }
    let without = |kind: &str| {
        let (before, rest) = RIGHT.split_once(&format!("```{kind}\n")).unwrap();
        read_text(&format!("{before}{}", rest.split_once("\n```\n").unwrap().1)).unwrap_err()
    };
    assert!(without("answer").contains("this task has no block `answer`"));
    assert!(without("check").contains("d/x.lesson:12:1"));
    assert!(without("begin").contains("has no capture wire"));
    assert!(read_text("# T\n\nProse\n").unwrap_err().contains("a lesson has at least one task"));
    assert!(read_text("").unwrap_err().contains("a lesson begins with its title"));
}

#[test]
fn the_version_of_a_lesson_has_the_files_that_it_includes() {
    let text = RIGHT.replace("wait 1s", "include \"wait.include\"");
    let lesson = read_text(&text).unwrap();
    let names: Vec<&str> = lesson.sources.keys().map(String::as_str).collect();
    assert_eq!(names, ["wait.include", "x.lesson"]);
}

#[test]
fn every_lesson_of_the_project_fits_its_lab_and_is_in_the_program() {
    let lab = built_in::find("gsmr").unwrap().unwrap();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/lab/gsmr/lessons");
    let files = std::fs::read_dir(directory).unwrap();
    let mut here: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    here.sort();
    assert_eq!(lab.files_in("lessons"), here);
    for Listed { name, title, problem } in lessons(&lab) {
        assert_eq!(problem, None);
        assert!(!title.is_empty(), "{name}");
        let lesson = find(&lab, name.split('-').next().unwrap()).unwrap();
        assert_eq!(lesson.name, name);
        assert!((4..=8).contains(&lesson.tasks.len()), "{name}");
        assert!(lesson.tasks.iter().all(|task| !task.hints.is_empty()), "{name}");
    }
    assert!(find(&lab, "no-such").unwrap_err().to_string().contains("has no lesson \"no-such\""));
}

/// Generates changes of a text. A change replaces a number of characters at a position by a piece
/// of text.
fn changes() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    let piece = prop_oneof![
        Just(String::new()),
        Just("```".to_owned()),
        Just("```check\n".to_owned()),
        Just("```lab\ninclude \"x.lesson\"\n```\n".to_owned()),
        Just("\n## \n".to_owned()),
        Just("\r\n".to_owned()),
        Just("{\n".to_owned()),
        Just("}".to_owned()),
        Just("\"".to_owned()),
        "\\PC{0,8}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec((0..2000_usize, 0..60_usize, piece), 1..6)
}

proptest! {
    #[test]
    fn a_changed_lesson_is_read_or_refused_with_its_place(changes in changes()) {
        let mut text: Vec<char> = RIGHT.chars().collect();
        for (at, length, piece) in changes {
            let start = at.min(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        match read_text(&text) {
            Ok(lesson) => {
                prop_assert!(!lesson.tasks.is_empty());
                for task in &lesson.tasks {
                    prop_assert!(!task.checks.is_empty() && !task.answer.is_empty());
                    prop_assert!(task.answer.iter().all(|command| !command.is_empty()));
                }
            }
            Err(error) => prop_assert!(error.contains("d/x.lesson:"), "{}", error),
        }
    }

    #[test]
    fn a_changed_hand_in_is_read_or_refused(line in "\\PC{0,80}", lines in 0..4_usize) {
        let text = format!("{}\n", line).repeat(lines);
        prop_assert!(hand_in::read(&text).is_err());
    }
}
