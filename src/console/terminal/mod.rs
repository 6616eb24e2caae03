//! The terminal of a user: the line editor, `--More--`, `?`, Tab and the control keys, as on IOS.
//!
//! A terminal does no I/O, like a session. Its input is the octets of the user and the responses of
//! the router. Its output is octets for the screen and requests for the router. The driver uses a
//! terminal in two places: in `eidway console`, and in a connection by telnet.
//!
//! ```text
//!   user ── octets ──▶ Decoder ── keys ──▶ LineEditor ── Request ──▶ router
//!   user ◀── text ──── Pager ◀──────────────────────── Response ──── router
//! ```
//!
//! The output for the screen has no escape sequences. Its only control characters are the carriage
//! return, the line feed, the backspace and the bell.

mod editor;
mod keys;
mod pager;

use std::collections::VecDeque;

use editor::{LineEditor, columns};
use keys::{Decoder, Key};
use pager::{MORE, Pager};

use super::filter::Filter;
use super::protocol::{Done, Request, Response, TerminalSettings};

/// The number of lines of a screen, if the size of the screen is not known.
const LENGTH: u16 = 24;
/// The maximum number of keys that wait for the end of an answer. If this number is reached, the
/// client reads no more octets from the user.
const MOST_KEYS: usize = 16 * 1024;

/// The present activity of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The user types a line.
    Editing,
    /// The router answers a request.
    Answering(Purpose),
    /// The session has ended.
    Closed,
}

/// The reason why a terminal sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// A line, or the request that begins the session. After the answer, the user types a new line.
    Line,
    /// A line that the user ended with Control-Z. After the answer, the terminal sends the command
    /// `end`.
    LastLine,
    /// The user pressed `?`. After the answer, the user continues with the same line.
    Help,
    /// The user pressed Tab. After the answer, the user continues with the same line.
    Complete,
}

/// The terminal of a user.
#[derive(Debug)]
pub struct Terminal {
    decoder: Decoder,
    editor: LineEditor,
    pager: Pager,
    state: State,
    /// The keys that the user pressed during an answer.
    waiting: VecDeque<Key>,
    /// The prompt of the router.
    prompt: String,
    /// The columns and lines of the screen, if they are known.
    screen: Option<(u16, u16)>,
    /// The settings that the user made with `terminal length` and `terminal width`.
    settings: TerminalSettings,
    /// The words that may replace the last word of the line, in the answer to a Tab.
    completions: Vec<String>,
    /// The search that the user types at `--More--`: `/`, `+` or `-`, and then a text.
    search: Option<String>,
    /// The end of the answer, if it has arrived while the output waits at `--More--`.
    done: Option<Done>,
    /// Whether the cursor is at the start of a line of the screen.
    is_at_start: bool,
    output: String,
    requests: VecDeque<Request>,
}

impl Terminal {
    /// A terminal that begins its session with the request `first`. `screen` has the columns and
    /// lines of the screen, if they are known.
    pub fn new(first: Request, screen: Option<(u16, u16)>) -> Self {
        let mut terminal = Terminal {
            decoder: Decoder::default(),
            editor: LineEditor::default(),
            pager: Pager::default(),
            state: State::Editing,
            waiting: VecDeque::new(),
            prompt: String::new(),
            screen: None,
            settings: TerminalSettings::default(),
            completions: Vec::new(),
            search: None,
            done: None,
            is_at_start: true,
            output: String::new(),
            requests: VecDeque::new(),
        };
        terminal.resize(screen);
        terminal.ask(first, Purpose::Line);
        terminal
    }

    /// Sets the size of the screen. `screen` has the columns and lines of the screen, if they are
    /// known. If one of the two numbers is 0, the size counts as not known.
    pub fn resize(&mut self, screen: Option<(u16, u16)>) {
        self.screen = screen.filter(|&(columns, lines)| columns > 0 && lines > 0);
        self.set_page();
    }

    fn set_page(&mut self) {
        let lines = self.screen.map_or(LENGTH, |(_, lines)| lines);
        let length = self.settings.length.unwrap_or(lines);
        self.pager.resize(length.into(), self.width());
    }

    /// The number of columns of the screen, or 0 if there is no limit.
    fn width(&self) -> usize {
        let columns = self.screen.map_or(0, |(columns, _)| columns);
        self.settings.width.unwrap_or(columns).into()
    }

    /// The number of columns for the line after the prompt, or 0 if there is no limit.
    fn room(&self) -> usize {
        match self.width() {
            0 => 0,
            width => width.saturating_sub(columns(&self.prompt_characters())).max(4),
        }
    }

    fn prompt_characters(&self) -> Vec<char> {
        self.prompt.chars().collect()
    }

    /// Handles octets that the user typed.
    pub fn type_octets(&mut self, octets: &[u8]) {
        for &octet in octets {
            let Some(key) = self.decoder.push(octet) else { continue };
            let stops = matches!(key, Key::Control('C' | '^'));
            match self.state {
                State::Answering(_) if stops && !self.pager.is_waiting() => {
                    self.waiting.clear();
                    self.requests.push_back(Request::Interrupt);
                }
                State::Closed => {}
                _ => self.waiting.push_back(key),
            }
        }
        self.work();
    }

    /// Whether the client may read more octets from the user.
    pub fn wants_octets(&self) -> bool {
        self.waiting.len() < MOST_KEYS
    }

    /// Whether the client may read more responses from the router. While the output waits at
    /// `--More--`, the client must not read responses.
    pub fn wants_responses(&self) -> bool {
        !self.pager.is_waiting()
    }

    /// Whether the session has ended.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The next request for the router.
    pub fn take_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// The octets for the screen since the previous call.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output).into_bytes()
    }

    /// Handles a response of the router.
    pub fn receive(&mut self, response: Response) {
        match response {
            Response::Text(text) => self.print_answer(&text),
            Response::Error(message) => self.print_answer(&format!("% {message}\n")),
            Response::Completions(words) => self.completions = words,
            Response::Debug(line) => self.print_debug(&line),
            Response::Terminal(settings) => {
                self.settings = settings;
                self.set_page();
            }
            Response::Host(_) => {}
            Response::Done(done) => self.done = Some(done),
        }
        self.work();
    }

    /// Does all work that is possible now: ends the answer, and carries out keys.
    fn work(&mut self) {
        loop {
            if !self.pager.is_waiting() && self.done.is_some() {
                let rest = self.pager.finish();
                self.print(&rest);
                if !self.pager.is_waiting()
                    && let Some(done) = self.done.take()
                {
                    self.end_answer(done);
                }
                continue;
            }
            let takes_keys = self.state == State::Editing || self.pager.is_waiting();
            let Some(key) = takes_keys.then(|| self.waiting.pop_front()).flatten() else { return };
            match self.pager.is_waiting() {
                true => self.key_at_more(key),
                false => self.key(key),
            }
        }
    }

    fn ask(&mut self, request: Request, purpose: Purpose) {
        self.state = State::Answering(purpose);
        self.pager.begin();
        self.requests.push_back(request);
    }

    /// Ends an answer and lets the user type.
    fn end_answer(&mut self, done: Done) {
        let State::Answering(purpose) = self.state else { return };
        self.prompt = done.prompt;
        // The terminal does not close if more typed lines wait. So an unnecessary `exit` in a
        // pasted configuration does not end the session.
        if done.closed && (self.settings.is_hidden || !self.waiting.contains(&Key::Enter)) {
            self.state = State::Closed;
            return;
        }
        self.state = State::Editing;
        match purpose {
            Purpose::LastLine => self.ask(Request::Line("end".to_owned()), Purpose::Line),
            Purpose::Line => {
                self.new_line();
                let prompt = self.prompt.clone();
                self.print(&prompt);
                self.editor.begin(self.room(), self.settings.is_hidden);
            }
            Purpose::Help => self.redraw(),
            Purpose::Complete => self.complete(),
        }
    }

    fn key(&mut self, key: Key) {
        let is_hidden = self.editor.is_hidden();
        let line_key = self.editor.is_quoted() || is_hidden;
        match key {
            Key::Enter => self.enter("", Purpose::Line),
            Key::Control('C' | 'Z' | 'L' | 'R') if is_hidden => {}
            Key::Control('Z') => self.enter("^Z", Purpose::LastLine),
            Key::Control('C') => {
                let rest = self.editor.go_to_end();
                self.print(&format!("{rest}^C\n"));
                self.editor.begin(0, false);
                self.ask(Request::Line("end".to_owned()), Purpose::Line);
            }
            Key::Control('D') if self.editor.is_empty() => {
                self.print("\n");
                self.state = State::Closed;
            }
            Key::Char('?') if !line_key => {
                let rest = self.editor.go_to_end();
                self.print(&format!("{rest}?\n"));
                self.ask(Request::Help(self.editor.before_cursor()), Purpose::Help);
            }
            Key::Tab if line_key => {}
            Key::Tab => {
                let before = self.editor.before_cursor();
                if !before.trim().is_empty() {
                    self.ask(Request::Complete(before), Purpose::Complete);
                }
            }
            Key::Control('L' | 'R') => {
                self.print("\n");
                self.redraw();
            }
            key => {
                let drawn = self.editor.key(key);
                self.print(&drawn);
            }
        }
    }

    /// Sends the line to the router.
    fn enter(&mut self, mark: &str, purpose: Purpose) {
        let rest = self.editor.go_to_end();
        self.print(&format!("{rest}{mark}\n"));
        let line = self.editor.finish();
        self.ask(Request::Line(line), purpose);
    }

    /// Completes the last word of the line with the completions that the router found. Adds the
    /// characters that all completions have in common. If there are no such characters, prints the
    /// completions.
    fn complete(&mut self) {
        let words = std::mem::take(&mut self.completions);
        let before = self.editor.before_cursor();
        let start = before.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
        let typed = before[start..].chars().count();
        let mut common: Vec<char> = match words.first() {
            Some(word) => word.chars().collect(),
            None => return,
        };
        for word in &words {
            let same = common.iter().zip(word.chars());
            common.truncate(same.take_while(|(one, other)| **one == *other).count());
        }
        if let [_] = words.as_slice() {
            common.push(' ');
        }
        match common.get(typed..) {
            Some(rest) if !rest.is_empty() => {
                let drawn = self.editor.insert(rest);
                self.print(&drawn);
            }
            _ => {
                let rest = self.editor.go_to_end();
                self.print(&format!("{rest}\n{}\n", words.join("  ")));
                self.redraw();
            }
        }
    }

    /// Carries out a key at `--More--`. A blank shows the next page, and Enter shows the next line.
    /// The keys `/`, `+` and `-` begin a search. Any other key ends the output.
    fn key_at_more(&mut self, key: Key) {
        if let Some(search) = self.search.take() {
            return self.key_of_search(search, key);
        }
        let text = match key {
            Key::Char(' ') => self.pager.next_page(),
            Key::Enter => self.pager.next_line(),
            Key::Char(mark @ ('/' | '+' | '-')) => {
                self.search = Some(mark.to_string());
                self.pager.begin_search(mark)
            }
            _ => {
                let erased = self.pager.end();
                return self.end_output(&erased);
            }
        };
        self.print(&text);
    }

    /// Ends the output at `--More--`. `erased` is printed in place of `--More--`.
    fn end_output(&mut self, erased: &str) {
        self.print(erased);
        self.is_at_start = true;
        if self.done.is_none() {
            self.requests.push_back(Request::Interrupt);
        }
    }

    /// Carries out a key in a search. Enter ends the search, and prints lines of the remaining
    /// output:
    ///
    /// - After `/text`, it prints all lines from the first line that matches the text.
    /// - After `+text`, it prints only the lines that match the text.
    /// - After `-text`, it prints only the lines that do not match the text.
    fn key_of_search(&mut self, mut search: String, key: Key) {
        match key {
            Key::Enter => {
                let (mark, pattern) = search.split_at(1);
                let name = match mark {
                    "/" => "begin",
                    "+" => "include",
                    _ => "exclude",
                };
                let text = match Filter::of(name, pattern) {
                    Ok(filter) => format!("\nfiltering...\n{}", self.pager.select(filter)),
                    Err(message) => format!("\n% {message}\n{MORE}"),
                };
                return self.print(&text);
            }
            Key::Control('C') => {
                self.pager.end();
                return self.end_output("\n");
            }
            Key::Backspace if search.len() > 1 => {
                search.pop();
                self.print("\u{8} \u{8}");
            }
            Key::Char(character) => {
                search.push(character);
                self.print(&character.to_string());
            }
            _ => {}
        }
        self.search = Some(search);
    }

    fn print_answer(&mut self, text: &str) {
        let text = self.pager.push(text);
        self.print(&text);
    }

    /// Prints a debug line above the line that the user types.
    fn print_debug(&mut self, line: &str) {
        if self.state != State::Editing {
            self.new_line();
            self.print(&format!("{line}\n"));
            return;
        }
        let occupied = columns(&self.prompt_characters()) + self.editor.columns();
        let blanks = occupied.saturating_sub(line.chars().count());
        self.output.push('\r');
        self.print(&format!("{line}{}\n", " ".repeat(blanks)));
        self.redraw();
    }

    /// Prints the prompt and the line that the user types.
    fn redraw(&mut self) {
        self.new_line();
        let drawn = self.editor.redraw(self.room());
        let prompt = self.prompt.clone();
        self.print(&(prompt + &drawn));
    }

    /// Moves the cursor to a new line of the screen, unless the cursor is already at the start of a
    /// line.
    fn new_line(&mut self) {
        if !self.is_at_start {
            self.print("\n");
        }
    }

    /// Adds text to the output. A line ends with a carriage return and a line feed.
    fn print(&mut self, text: &str) {
        for character in text.chars() {
            if character == '\n' {
                self.output.push('\r');
            }
            self.output.push(character);
            self.is_at_start = character == '\n';
        }
    }
}

#[cfg(test)]
mod tests;
