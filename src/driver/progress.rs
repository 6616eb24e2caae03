//! A line on a terminal. It names the work for which a command waits.
//!
//! The line appears on standard error after one second, and shows the number of seconds without an
//! output of the command. It is erased when the work is done, and before each output of the
//! command. If standard error is not a terminal, there is no line.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The time before the line appears, and the time between two changes of the line.
const PERIOD: Duration = Duration::from_secs(1);
/// The escape sequence of terminals that erases the current line.
const ERASE: &str = "\r\x1b[K";

/// The line while a command waits for work. The line is erased when this value is dropped.
pub struct Progress {
    line: Arc<Mutex<Line>>,
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

/// The line, and the terminal on which it is written.
struct Line {
    out: Box<dyn Write + Send>,
    what: String,
    /// The number of periods without an output of the command.
    periods: u64,
    is_shown: bool,
}

impl Line {
    fn draw(&mut self) -> io::Result<()> {
        self.is_shown = true;
        write!(self.out, "{ERASE}{} ({} s)", self.what, self.periods)?;
        self.out.flush()
    }

    fn erase(&mut self) -> io::Result<()> {
        self.periods = 0;
        if std::mem::take(&mut self.is_shown) {
            write!(self.out, "{ERASE}")?;
            self.out.flush()?;
        }
        Ok(())
    }
}

impl Progress {
    /// Begins to show the line. `what` is a sentence that names the work, without the full stop. If
    /// `is_quiet` is true, or standard error is not a terminal, there is no line.
    pub fn begin(what: impl Into<String>, is_quiet: bool) -> Self {
        let is_seen = !is_quiet && io::stderr().is_terminal();
        Progress::on(Box::new(io::stderr()), what.into(), is_seen.then_some(PERIOD))
    }

    fn on(out: Box<dyn Write + Send>, what: String, period: Option<Duration>) -> Self {
        let line = Arc::new(Mutex::new(Line { out, what, periods: 0, is_shown: false }));
        let running = period.map(|period| {
            let (end, has_ended) = mpsc::channel::<()>();
            let line = Arc::clone(&line);
            let draw = move || {
                while has_ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                    let mut line = lock(&line);
                    line.periods += 1;
                    // The result is ignored: an error means that the terminal does not exist any
                    // more.
                    let _ = line.draw();
                }
            };
            (end, thread::spawn(draw))
        });
        Progress { line, running }
    }

    /// Replaces the sentence of the line, because the command now waits for other work.
    pub fn set(&self, what: impl Into<String>) {
        let mut line = lock(&self.line);
        line.what = what.into();
        line.periods = 0;
    }

    /// Calls a function that writes on the same terminal. The line is erased before the call, and
    /// appears again one second later.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        let mut line = lock(&self.line);
        let _ = line.erase();
        write()
    }

    /// Returns a writer that writes to `out`, and erases the line before each output. `out` is on
    /// the same terminal as the line.
    pub fn around<W: Write>(&self, out: W) -> Around<'_, W> {
        Around { progress: self, out }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.running.take() {
            drop(end);
            // The result is ignored: a panic of the thread is not an error of the command.
            let _ = thread.join();
            let _ = lock(&self.line).erase();
        }
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A writer that erases the line before each output.
pub struct Around<'a, W> {
    progress: &'a Progress,
    out: W,
}

impl<W: Write> Write for Around<'_, W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Around { progress, out } = self;
        progress.aside(|| out.write(octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal that stores all octets that are written to it.
    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Screen {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        fn until(&self, part: &str) {
            while !self.text().contains(part) {
                thread::yield_now();
            }
        }
    }

    impl Write for Screen {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn begin(screen: &Screen, period: Option<Duration>) -> Progress {
        Progress::on(Box::new(screen.clone()), "the lab starts".to_owned(), period)
    }

    #[test]
    fn a_long_wait_has_a_line_that_goes_away_before_each_output() {
        let screen = Screen::default();
        let progress = begin(&screen, Some(Duration::from_millis(5)));
        screen.until("\r\x1b[Kthe lab starts (2 s)");
        let mut out = progress.around(screen.clone());
        out.write_all(b"!!!!!\n").unwrap();
        assert!(screen.text().contains(" s)\r\x1b[K!!!!!\n"), "{:?}", screen.text());
        progress.set("the registrations");
        screen.until("\r\x1b[Kthe registrations (1 s)");
        drop(progress);
        assert!(screen.text().ends_with(" s)\r\x1b[K"), "{:?}", screen.text());
    }

    #[test]
    fn a_short_wait_and_a_wait_without_a_terminal_have_no_line() {
        let screen = Screen::default();
        for period in [Some(Duration::from_secs(1000)), None] {
            let progress = begin(&screen, period);
            progress.around(screen.clone()).write_all(b".").unwrap();
        }
        assert_eq!(screen.text(), "..");
    }
}
