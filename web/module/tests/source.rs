//! The module answers the requests of the page.

use std::collections::{BTreeMap, BTreeSet};

use eidway::lab::{Lab, built_in};
use eidway_web_module::source::Source;
use serde_json::{Value, json};

/// A page without a browser.
#[derive(Default)]
struct Page(Source);

impl Page {
    /// A page with a lab that has just been switched on, with the overlays of a scenario.
    fn open(lab: &Lab, scenario: Option<&str>) -> Self {
        let files: BTreeMap<&str, &str> = lab.texts().collect();
        let mut page = Page::default();
        page.ask(&json!({"op": "open", "files": files, "seed": 1, "scenario": scenario}));
        page
    }

    /// A page with the lab gsmr, after `seconds`.
    fn gsmr(seconds: u64) -> (Self, Vec<Value>) {
        let mut page = Page::open(&gsmr(), None);
        let items = page.run(seconds * 1_000_000);
        (page, items)
    }

    fn answer(&mut self, request: &Value) -> Value {
        let answer = self.0.answer(request.to_string().as_bytes());
        serde_json::from_str(&answer).expect("JSON")
    }

    fn ask(&mut self, request: &Value) -> Value {
        let answer = self.answer(request);
        assert!(answer.get("error").is_none(), "{request}: {answer}");
        answer["ok"].clone()
    }

    fn run(&mut self, until: u64) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let run = self.ask(&json!({"op": "run", "until": until}));
            items.extend(run["items"].as_array().expect("items").clone());
            if run["more"] == false {
                return items;
            }
        }
    }
}

fn gsmr() -> Lab {
    built_in::find("gsmr").expect("a built-in lab").expect("a lab")
}

fn of_kind<'a>(items: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    items.iter().filter(move |item| item["kind"] == kind)
}

#[test]
fn a_lab_comes_up_and_each_received_message_names_the_sent_one() {
    let (mut page, items) = Page::gsmr(30);
    let snapshot = page.ask(&json!({"op": "snapshot"}));
    let node = |name: &str| {
        let nodes = snapshot["nodes"].as_array().expect("nodes");
        nodes.iter().find(|node| node["name"] == name).expect("a node").clone()
    };
    assert_eq!(node("xTR1")["roles"], json!(["itr", "etr"]));
    assert_eq!(node("A")["kind"], "host");
    assert!(node("NewMSMR")["counts"]["registrations"].as_u64() >= Some(8), "{snapshot}");
    let received: Vec<&Value> =
        of_kind(&items, "message").filter(|item| item["direction"] == "received").collect();
    assert!(received.len() > 10, "{}", received.len());
    for message in received {
        let sent = items.iter().find(|item| item["n"] == message["sent"]);
        let sent = sent.unwrap_or_else(|| panic!("no sender: {message}"));
        assert_eq!((&sent["direction"], &sent["octets"]), (&json!("sent"), &message["octets"]));
    }
}

#[test]
fn a_ping_shows_its_request_and_answer_and_its_journey_has_one_name() {
    let (mut page, _) = Page::gsmr(30);
    let ping = json!({"kind": "ping", "name": "1", "from": "B", "to": "A"});
    let done = page.ask(&json!({"op": "act", "hand": ping}));
    assert_eq!(done["command"], "eidway lab ping gsmr B A");
    let items = page.run(40_000_000);
    let flows = page.ask(&json!({"op": "flows"}));
    assert_eq!(flows[0]["marks"], "!!!!!");
    let reply = of_kind(&items, "message").find(|item| item["name"] == "Map-Reply");
    let reply = reply.expect("a Map-Reply");
    let asked = items.iter().find(|item| item["n"] == reply["answers"]).expect("a request");
    assert_eq!(asked["name"], "Map-Request");
    // An echo crosses the LAN of B, two links of the core encapsulated, and the LAN of A.
    let hops: Vec<&Value> = of_kind(&items, "hop").collect();
    let inside = hops.iter().find(|hop| hop["class"] == "data").expect("an encapsulated packet");
    let journey: Vec<_> = hops.iter().filter(|hop| hop["packet"] == inside["packet"]).collect();
    let classes: Vec<_> = journey.iter().map(|hop| hop["class"].as_str().expect("text")).collect();
    assert_eq!(classes, ["native", "data", "data", "data", "native"]);
    let decisions = of_kind(&items, "decision").filter(|item| item["packet"] == inside["packet"]);
    let verdicts: Vec<_> = decisions.map(|item| item["verdict"].as_str().expect("text")).collect();
    assert_eq!(verdicts.last(), Some(&"deliver"), "{verdicts:?}");
}

#[test]
fn a_run_stops_at_the_next_smr_and_goes_on() {
    let (mut page, _) = Page::gsmr(30);
    page.ask(&json!({"op": "act", "hand":
        {"kind": "flow", "name": "f", "from": "B", "to": "A", "every_us": 100_000}}));
    page.run(32_000_000);
    let port = json!({"kind": "port", "node": "xTR1", "interface": "Ethernet1/0", "up": false});
    page.ask(&json!({"op": "act", "hand": port}));
    let run = page.ask(&json!({"op": "step", "to": {"at": "message", "name": "SMR"}}));
    let last = run["items"].as_array().expect("items").last().expect("an item").clone();
    assert!(run["stopped"].is_u64());
    assert!(run["items"].as_array().expect("items").iter().any(|item| item["n"] == run["stopped"]));
    assert!(last["at"].as_u64() < Some(33_000_000), "{last}");
    let console =
        page.ask(&json!({"op": "console", "node": "xTR1", "line": "show ip lisp database"}));
    assert!(console["text"].as_str().expect("text").contains("NO ROUTE TO EID PREFIX"));
    let tables = page.ask(&json!({"op": "tables", "node": "xTR1"}));
    assert!(tables.as_array().expect("tables").iter().any(|table| table["table"] == "away"));
}

#[test]
fn every_message_and_packet_of_a_run_is_dissected_without_damage() {
    let (mut page, mut items) = Page::gsmr(30);
    let ping = json!({"kind": "ping", "name": "1", "from": "B", "to": "A"});
    page.ask(&json!({"op": "act", "hand": ping}));
    items.extend(page.run(40_000_000));
    let mut layers = BTreeSet::new();
    for item in items {
        let of = match item["kind"].as_str() {
            Some("message") => "message",
            Some("hop") => "packet",
            _ => continue,
        };
        let request = json!({"op": "dissect", "octets": item["octets"], "of": of});
        let found = page.ask(&request).to_string();
        assert!(!found.contains(r#""Damage""#), "{item}: {found}");
        let found: Value = serde_json::from_str(&found).expect("JSON");
        for layer in found["layers"].as_array().expect("layers") {
            layers.insert(layer["name"].as_str().expect("a name").to_owned());
        }
    }
    for name in
        ["TCP", "ECM", "LISP", "ICMP", "Map-Reply", "Map-Register", "Map-Notify", "Registration"]
    {
        assert!(layers.contains(name), "{name}: {layers:?}");
    }
}

#[test]
fn a_wrong_request_is_an_error_in_words_and_changes_nothing() {
    let mut page = Page::default();
    for (request, problem) in [
        (json!({"op": "snapshot"}), "no lab is open"),
        (json!({"op": "dance"}), "unknown variant `dance`"),
        (json!({"op": "dissect", "octets": "1", "of": "packet"}), "not hexadecimal"),
        (json!({"op": "open", "files": {}}), "there is no lab.toml"),
        (json!({"op": "open", "files": {"lab.toml": "name = <b>"}}), "lab.toml"),
    ] {
        let error = page.answer(&request)["error"].as_str().expect("an error").to_owned();
        assert!(error.contains(problem), "{request}: {error}");
    }
    let (mut page, _) = Page::gsmr(20);
    let before = page.ask(&json!({"op": "snapshot"}));
    for request in [
        json!({"op": "tables", "node": "nowhere"}),
        json!({"op": "console", "node": "Core1", "line": "show ip route"}),
        json!({"op": "act", "hand": {"kind": "move", "host": "A", "to": "<b>"}}),
        json!({"op": "act", "hand": {"kind": "impair", "link": "x", "impairment": "loss 1%"}}),
        json!({"op": "act", "hand": {"kind": "end", "name": "f"}}),
    ] {
        assert!(page.answer(&request)["error"].is_string(), "{request}");
    }
    assert_eq!(page.ask(&json!({"op": "snapshot"})), before);
}

#[test]
fn a_run_with_less_detail_has_the_same_events_and_numbers_and_ends_alike() {
    let run = |detail: &str| {
        let (mut page, _) = Page::gsmr(30);
        let ping = json!({"kind": "ping", "name": "1", "from": "B", "to": "A"});
        page.ask(&json!({"op": "act", "hand": ping}));
        let request = json!({"op": "run", "until": 40_000_000, "detail": detail});
        let run = page.ask(&request);
        assert_eq!((&run["now"], &run["more"]), (&json!(40_000_000), &json!(false)));
        let snapshot = page.ask(&json!({"op": "snapshot"}));
        (run["items"].as_array().expect("items").clone(), snapshot)
    };
    let ((all, end), (events, end_of_events), (none, end_of_none)) =
        (run("all"), run("events"), run("none"));
    assert_eq!((&end, &end), (&end_of_events, &end_of_none));
    let is_event = |item: &&Value| match item["kind"].as_str() {
        Some("hop") => ["control", "tcp"].contains(&item["class"].as_str().expect("a class")),
        Some("decision") => item["verdict"] == "drop",
        _ => true,
    };
    let expected: Vec<Value> = all.iter().filter(is_event).cloned().collect();
    assert_eq!(events, expected);
    assert!(events.len() < all.len() && none.is_empty());
}

#[test]
fn a_run_in_few_steps_ends_between_two_instants_and_has_the_same_items() {
    let (mut whole, _) = Page::gsmr(5);
    let (mut part, _) = Page::gsmr(5);
    let until = 60_000_000;
    let expected = whole.run(until);
    let (mut items, mut calls) = (Vec::new(), 0);
    loop {
        let run = part.ask(&json!({"op": "run", "until": until, "steps": 2}));
        items.extend(run["items"].as_array().expect("items").clone());
        calls += 1;
        assert_eq!(run["more"], false);
        if run["now"] == until {
            break;
        }
        assert!(run["next"].as_u64() > run["now"].as_u64(), "an instant is whole");
    }
    assert_eq!(items, expected);
    assert!(calls > 10, "{calls}");
}

#[test]
fn a_run_without_items_stops_where_a_run_with_all_items_does() {
    for stop in [
        json!({"at": "message", "name": "Map-Reply"}),
        json!({"at": "change", "table": "map-cache"}),
        json!({"at": "drop", "node": "PxTR1"}),
    ] {
        let stopped = |detail: &str| {
            let (mut page, _) = Page::gsmr(30);
            for (name, to) in [("1", "A"), ("2", "192.0.2.99")] {
                let ping = json!({"kind": "ping", "name": name, "from": "N", "to": to});
                page.ask(&json!({"op": "act", "hand": ping}));
            }
            let request =
                json!({"op": "run", "until": 90_000_000, "detail": detail, "stop_at": [stop]});
            let run = page.ask(&request);
            let items = run["items"].as_array().expect("items");
            let found = items.iter().find(|item| item["n"] == run["stopped"]).cloned();
            found.unwrap_or_else(|| panic!("{detail}: {stop} is not met: {run}"))
        };
        assert_eq!(stopped("none"), stopped("all"));
    }
}

/// Does the hands of a scenario again, and compares the output of each `show` with the transcript
/// of the scenario. Returns the number of outputs that were compared.
fn shows_again(lab: &Lab, script: &Value) -> usize {
    let micros = |value: &Value| value.as_u64().expect("a time");
    let hands = script["hands"].as_array().expect("hands");
    let mut page = Page::open(lab, script["name"].as_str());
    let (mut done, mut compared) = (0, 0);
    for statement in script["statements"].as_array().expect("statements") {
        let text = statement["text"].as_str().expect("a text");
        let at = micros(&statement["ended"]);
        while let Some(hand) = hands.get(done).filter(|hand| micros(&hand["at"]) <= at) {
            page.run(micros(&hand["at"]));
            page.ask(&hand["request"]);
            page.run(micros(&hand["at"]));
            done += 1;
        }
        page.run(at);
        let Some((_, show)) = text.split_once("show ") else { continue };
        // A hand of this instant may have come before the output or after it.
        if hands.iter().any(|hand| micros(&hand["at"]) == at) || text.starts_with("at ") {
            continue;
        }
        let (node, line) = (show.split(' ').next(), show.split('"').nth(1).expect("a command"));
        let answer = page.ask(&json!({"op": "console", "node": node, "line": line}));
        let (output, transcript) = (&answer["text"], &statement["transcript"]);
        let output = output.as_str().expect("a text").trim_end();
        let transcript = transcript.as_str().expect("a text");
        assert!(transcript.ends_with(&format!("{output}\n")), "{text}\n{transcript}\n{output}");
        compared += 1;
    }
    compared
}

#[test]
fn the_hands_of_a_scenario_make_the_run_that_its_player_saw() {
    let lab = gsmr();
    let mut page = Page::open(&lab, None);
    let listed = page.ask(&json!({"op": "scenarios"}));
    let mut compared = 0;
    for scenario in listed.as_array().expect("a list") {
        assert!(scenario["problem"].is_null(), "{scenario}");
        let script = page.ask(&json!({"op": "scenario", "name": scenario["name"]}));
        assert_eq!(script["stopped"], Value::Null, "{scenario}");
        compared += shows_again(&lab, &script);
    }
    assert!(compared > 40, "{compared}");
}
