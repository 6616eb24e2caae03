//! The server of the page, and its clients: a reader of the events, and Chromium.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use crate::Outcome;

/// `eidway lab web`. It ends when this value is dropped.
pub struct Server {
    process: Child,
    pub url: String,
}

impl Server {
    /// Starts the server of a lab that is up.
    pub fn start(program: &Path, lab: &str) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.args(["lab", "web", lab, "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("the server has no output")?;
        let mut lines = BufReader::new(output).lines();
        let url = lines.find_map(|line| {
            let line = line.ok()?;
            line.split_whitespace().find(|word| word.starts_with("http:")).map(str::to_owned)
        });
        let url = url.ok_or("the server has ended")?;
        Ok(Server { process, url })
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A reader of the events that does nothing with them.
pub struct Reader(TcpStream);

impl Reader {
    pub fn start(url: &str) -> Outcome<Self> {
        let rest = url.strip_prefix("http://").ok_or("the URL has another form")?;
        let (address, token) = rest.split_once("/?token=").ok_or("the URL has no token")?;
        let mut stream = TcpStream::connect(address)?;
        let fields = format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n");
        write!(stream, "GET /events HTTP/1.1\r\n{fields}\r\n")?;
        let mut copy = stream.try_clone()?;
        let mut first = [0; 12];
        copy.read_exact(&mut first)?;
        if &first != b"HTTP/1.1 200" {
            return Err("the server refuses the events".into());
        }
        thread::spawn(move || std::io::copy(&mut copy, &mut std::io::sink()));
        Ok(Reader(stream))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}

/// Chromium with the page, steered by `page.mjs`.
pub struct Browser {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Browser {
    /// Opens the page, and waits until it has drawn the network.
    pub fn start(url: &str) -> Outcome<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/live/page.mjs");
        // The kernel shares the processors among sessions: a browser has one of its own.
        let mut command = Command::new("setsid");
        command
            .args(["--wait", "node"])
            .arg(script)
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take().ok_or("node has no output")?;
        let mut browser = Browser { process, input, output: BufReader::new(output) };
        browser.expect("ready")?;
        Ok(browser)
    }

    /// Begins to watch for a text that comes newly into the page.
    pub fn watch(&mut self, text: &str) -> Outcome<Watch<'_>> {
        self.tell(&format!("watch {text}"))?;
        let began = self.expect("watching")?.parse()?;
        Ok(Watch { browser: self, began })
    }

    /// The words beside the clock of the page.
    pub fn said(&mut self) -> Outcome<String> {
        self.tell("say")?;
        self.expect("said")
    }

    fn tell(&mut self, line: &str) -> Outcome<()> {
        let input = self.input.as_mut().ok_or("node has no input")?;
        Ok(writeln!(input, "{line}")?)
    }

    /// Reads a line that begins with a word, and returns the rest.
    fn expect(&mut self, word: &str) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end().strip_prefix(word) {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => Err(format!("page.mjs: {word} was expected, and not {line:?}").into()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of its input is the end of the script, which ends Chromium.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// A text that is expected in the page.
pub struct Watch<'a> {
    browser: &'a mut Browser,
    /// The time of the page when it began to watch.
    began: f64,
}

impl Watch<'_> {
    /// Waits for the text. Returns the milliseconds since this process was told that the page
    /// watches, until the text was drawn.
    pub fn milliseconds(self) -> Outcome<f64> {
        let drawn: f64 = self.browser.expect("drawn")?.parse()?;
        Ok(drawn - self.began)
    }
}
