//! The log of the process. Lines wait in a queue until a thread has written them, so that the
//! router itself never waits for the log.
//!
//! If the reader of the log is a pager, a terminal or a pipe, it may stop reading. Then a write
//! blocks until the reader continues. So a separate thread writes the lines. The size of the queue
//! is limited. Lines that do not fit into the queue are lost. Then a line with the number of lost
//! lines is written to the log.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::log_file::LogFile;

/// The number of waiting octets at which the queue accepts no more lines. The last line may exceed
/// this limit.
const MAX_WAITING: usize = 1 << 20;

/// The handle of the log. Each line is written with one call of `write`.
#[derive(Clone, Debug)]
pub struct LogQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Notifies waiting threads that the queue has a new task, or that the log's thread has
    /// finished a task.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    /// The number of octets of all lines in the queue.
    waiting: usize,
    /// The number of lines that were lost after the last line in the queue.
    lost: u64,
    is_to_reopen: bool,
    /// Whether the log's thread is working on a task.
    is_busy: bool,
}

/// The destination of the lines.
trait Sink: Write + Send {
    /// Opens the path of the log again, because another program may have renamed the file.
    fn reopen(&mut self) -> io::Result<()>;
}

impl Sink for LogFile {
    fn reopen(&mut self) -> io::Result<()> {
        LogFile::reopen(self)
    }
}

impl Sink for io::Stderr {
    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Task {
    Write(Vec<u8>),
    Reopen,
}

impl LogQueue {
    /// Returns a log that is written to the standard error.
    ///
    /// # Errors
    /// The thread of the log could not be started.
    pub fn to_stderr() -> io::Result<Self> {
        LogQueue::to(io::stderr())
    }

    /// Returns a log that is written to a file of limited size. The file also becomes the standard
    /// output and the standard error of the process.
    ///
    /// # Errors
    /// An error of the file system.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        LogQueue::to(LogFile::open(path)?)
    }

    fn to(sink: impl Sink + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let log = LogQueue(Arc::clone(&shared));
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_to(sink))?;
        Ok(log)
    }

    /// Opens the path of the log file again, because another program may have renamed the open
    /// file. The log then continues in a new file with this path. Does nothing if the log is not
    /// written to a file.
    pub fn reopen(&self) {
        self.0.queue().is_to_reopen = true;
        self.0.changed.notify_all();
    }

    /// Waits until all lines are written, but not longer than `limit`.
    pub fn finish(&self, limit: Duration) {
        let is_at_work = |queue: &mut Queue| queue.is_busy || queue.has_work();
        // The result is ignored: if some lines are not written in time, there is no log to report
        // this.
        drop(self.0.changed.wait_timeout_while(self.0.queue(), limit, is_at_work));
    }
}

impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.queue().push(line);
        self.0.changed.notify_all();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the lines. The thread of the log calls this function. The function does not return.
    fn write_to(&self, mut sink: impl Sink) {
        loop {
            // The error is ignored, because an error of the log cannot be written to the log.
            let _ = match self.next_task() {
                Task::Write(line) => sink.write_all(&line),
                Task::Reopen => sink.reopen(),
            };
        }
    }

    fn next_task(&self) -> Task {
        let mut queue = self.queue();
        queue.is_busy = false;
        self.changed.notify_all();
        let waited = self.changed.wait_while(queue, |queue| !queue.has_work());
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        queue.is_busy = true;
        queue.take()
    }
}

impl Queue {
    fn has_work(&self) -> bool {
        self.is_to_reopen || self.lost > 0 || !self.lines.is_empty()
    }

    fn push(&mut self, line: &[u8]) {
        if self.waiting >= MAX_WAITING {
            self.lost += 1;
            return;
        }
        if self.lost > 0 {
            let note = self.take_note();
            self.put(note);
        }
        self.put(line.to_vec());
    }

    fn put(&mut self, line: Vec<u8>) {
        self.waiting += line.len();
        self.lines.push_back(line);
    }

    /// Returns a line that reports the number of lost lines, and sets this number to 0.
    fn take_note(&mut self) -> Vec<u8> {
        let lost = std::mem::take(&mut self.lost);
        format!("[WARN ] {lost} lines of the log are lost: the reader of the log was too slow\n")
            .into_bytes()
    }

    /// Returns the next task. The queue must have at least one task.
    fn take(&mut self) -> Task {
        if std::mem::take(&mut self.is_to_reopen) {
            return Task::Reopen;
        }
        match self.lines.pop_front() {
            Some(line) => {
                self.waiting -= line.len();
                Task::Write(line)
            }
            None => Task::Write(self.take_note()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, PipeWriter, pipe};

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    impl Sink for PipeWriter {
        fn reopen(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Writes one line with one call. `writeln` could use several calls.
    fn write(log: &mut LogQueue, line: &str) {
        assert_eq!(log.write(format!("{line}\n").as_bytes()).unwrap(), line.len() + 1);
    }

    #[test]
    fn a_reader_that_stops_loses_lines_and_is_told_how_many() {
        let (reader, writer) = pipe().unwrap();
        let mut log = LogQueue::to(writer).unwrap();
        // The number of lines is greater than the number that fits into the queue and the pipe
        // together.
        const LINES: usize = 30_000;
        for number in 0..LINES {
            write(&mut log, &format!("line {number:095}"));
        }
        log.finish(Duration::from_millis(1));
        let waiting = log.0.queue().waiting;
        assert!(waiting <= MAX_WAITING + 101, "{waiting} octets wait");
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        let mut numbers = 0..LINES;
        let note = lines.by_ref().find(|line| {
            let number = line.strip_prefix("line ").map(|number| number.parse().unwrap());
            number != numbers.next()
        });
        let note = note.unwrap();
        let lost: usize = note.split(' ').nth(2).unwrap().parse().unwrap();
        assert_eq!(numbers.start - 1 + lost, LINES, "{note}");
        write(&mut log, "goes on");
        assert_eq!(lines.next().unwrap(), "goes on");
    }

    #[test]
    fn the_last_lines_are_written_before_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = LogQueue::to(LogFile::of(&path, 1 << 20).unwrap()).unwrap();
        for _ in 0..1000 {
            write(&mut log, "a line");
        }
        log.finish(SOON);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1000);
    }

    #[test]
    fn a_log_that_was_moved_away_goes_on_in_a_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("log"), directory.path().join("moved"));
        let mut log = LogQueue::to(LogFile::of(&path, 1 << 20).unwrap()).unwrap();
        for line in ["before", "while it is moved"] {
            write(&mut log, line);
            log.finish(SOON);
            let _ = std::fs::rename(&path, &moved);
        }
        log.reopen();
        write(&mut log, "after");
        log.finish(SOON);
        let read = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(&moved), "before\nwhile it is moved\n");
        assert_eq!(read(&path), "after\n");
    }
}
