//! A student does a lesson on the page, and the record is graded as the lesson was done.

use std::collections::BTreeMap;

use eidway::lab::lesson::grade::{Graded, State, grade};
use eidway::lab::lesson::{self, hand_in};
use eidway::lab::{Lab, built_in};
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};
use eidway_web_module::source::Source;
use serde_json::{Value, json};

/// The page of gsmr without a browser, at a lesson.
struct Student {
    source: Source,
    lesson: &'static str,
    now: u64,
}

fn gsmr() -> Lab {
    built_in::find("gsmr").expect("a built-in lab").expect("a lab")
}

impl Student {
    fn begin(lesson: &'static str) -> Self {
        let lab = gsmr();
        let files: BTreeMap<&str, &str> = lab.texts().collect();
        let mut student = Student { source: Source::default(), lesson, now: 0 };
        student.ask(&json!({"op": "open", "files": files, "seed": 1}));
        student.act(&json!({"kind": "lesson", "name": lesson}));
        student
    }

    fn ask(&mut self, request: &Value) -> Value {
        let answer = self.source.answer(request.to_string().as_bytes());
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert!(answer.get("error").is_none(), "{request}: {answer}");
        answer["ok"].clone()
    }

    fn act(&mut self, hand: &Value) {
        self.ask(&json!({"op": "act", "hand": hand}));
    }

    fn type_at(&mut self, node: &str, lines: &[&str]) {
        for line in lines {
            self.ask(&json!({"op": "console", "node": node, "line": line}));
        }
    }

    /// Lets seconds pass, as the page does when it plays.
    fn play(&mut self, seconds: u64) {
        let snapshot = self.ask(&json!({"op": "snapshot"}));
        self.now = snapshot["now"].as_u64().expect("a time") + seconds * 1_000_000;
        let until = self.now;
        while self.ask(&json!({"op": "run", "until": until}))["more"] == true {}
    }

    /// Looks if the current task is done, as the page does, and ticks it off.
    fn look(&mut self) -> Vec<bool> {
        let answer = self.ask(&json!({"op": "lesson", "name": self.lesson, "check": true}));
        if answer["ready"] == true {
            self.act(&json!({"kind": "check"}));
        }
        let answer = self.ask(&json!({"op": "lesson", "name": self.lesson}));
        let met = answer["met"].as_array().expect("a list");
        met.iter().map(|met| met == true).collect()
    }

    fn graded(&mut self) -> (Graded, Value) {
        let answer = self.ask(&json!({"op": "hand-in"}));
        let hand_in = hand_in::read(answer["text"].as_str().expect("a text")).expect("a hand-in");
        let lesson = lesson::find(&gsmr(), &hand_in.head.lesson).expect("a lesson");
        hand_in.head.expect(&gsmr(), &lesson).expect("the same versions");
        let lab = gsmr().with_overlay(&lesson.path, &lesson.setup.overlays).expect("an overlay");
        let options = Options::new(Seed::from_number(hand_in.head.seed));
        let mut stage = Simulated::up(lab, options).expect("the lab");
        lesson.prepare(&mut stage).expect("the beginning");
        (grade(&hand_in, lesson, &mut stage).expect("a grade"), answer["left_out"].clone())
    }
}

#[test]
fn a_lesson_on_the_page_ticks_itself_off_and_is_graded_as_it_was_done() {
    let mut student = Student::begin("g2-no-route");
    assert_eq!(student.look(), [false; 6]);
    let ping = |name: &str, ipv6: bool| json!({"kind": "ping", "name": name, "from": "B", "to": "A", "ipv6": ipv6});
    student.act(&ping("ping 1", false));
    student.play(2);
    assert_eq!(student.look()[..2], [true, false]);
    student.act(&json!({"kind": "hint"}));
    let shut = ["configure terminal", "interface ethernet 1/0", "shutdown", "end"];
    student.type_at("xTR1", &shut);
    assert_eq!(student.look()[..3], [true, true, false]);
    student.act(&ping("ping 2", false));
    student.play(11);
    assert_eq!(student.look()[..4], [true, true, true, false]);
    student.act(&json!({"kind": "end", "name": "ping 2"}));
    student.type_at("B", &["ping 172.16.0.12 repeat 2"]);
    assert_eq!(student.look()[3..5], [true, false]);
    student.act(&ping("ping 3", true));
    student.play(11);
    assert_eq!(student.look()[4..], [true, false]);
    let link = student.ask(&json!({"op": "snapshot"}))["segments"][0]["name"].clone();
    student.act(&json!({"kind": "impair", "link": link, "impairment": "delay 5ms"}));
    student
        .type_at("xTR1", &["configure terminal", "interface ethernet 1/0", "no shutdown", "end"]);
    student.play(61);
    student.act(&ping("ping 4", false));
    student.play(2);
    assert_eq!(student.look(), [true; 6]);

    let (graded, left_out) = student.graded();
    assert!(graded.is_complete(), "{graded}");
    assert_eq!(graded.tasks[1].hints, 1);
    assert_eq!(graded.tasks[0].commands[0].line, "ping B A");
    assert_eq!(left_out, json!([]));
}

#[test]
fn a_task_that_is_not_done_is_graded_as_not_done() {
    let mut student = Student::begin("g2-no-route");
    student.act(&json!({"kind": "check"}));
    let answer = student.ask(&json!({"op": "lesson", "name": "g2-no-route"}));
    assert!(answer["unmet"]["words"].as_str().expect("words").contains("five echos"), "{answer}");
    let (graded, _) = student.graded();
    let states: Vec<State> = graded.tasks.iter().map(|task| task.state).collect();
    assert_eq!(states, [State::NotMet; 6]);
}
