//! The log of the process. Lines wait in a queue until they are written, so that the router never
//! waits.
//!
//! If the reader of the log is a pager, a terminal or a pipe, it may stop reading. Then a write
//! blocks until the reader continues. So a separate thread writes the lines. They wait in a queue
//! with a size limit. Lines that do not fit are lost: the log gets their number instead.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::log_file::LogFile;

/// The maximum number of octets of lines that may wait; a single line may exceed this limit.
const MAX_WAITING: usize = 1 << 20;

/// The handle of the log. Each line is written with one call of `write`.
#[derive(Clone, Debug)]
pub struct LogQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Signals that the queue has a new task, or that the thread has finished a task.
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
    /// Whether the thread is working on a task.
    is_busy: bool,
}

/// The destination of the lines.
trait Sink: Write + Send {
    /// Opens the path of the log again, because the file may have been renamed.
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
    /// A log on the standard error.
    ///
    /// # Errors
    /// An error if no thread could be started.
    pub fn to_stderr() -> io::Result<Self> {
        LogQueue::to(io::stderr())
    }

    /// A log in a file of limited size. The file also becomes the standard output and the standard
    /// error.
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

    /// Continues in a new file with the same name, because the open file may have been renamed. If
    /// the log is not in a file, nothing is done.
    pub fn reopen(&self) {
        self.0.queue().is_to_reopen = true;
        self.0.changed.notify_all();
    }

    /// Waits until all lines are written, but not longer than `limit`.
    pub fn finish(&self, limit: Duration) {
        let is_at_work = |queue: &mut Queue| queue.is_busy || queue.has_work();
        // If some lines are still not written, this cannot be reported anywhere.
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

    /// Writes the lines. This is the function of the log's thread, and it runs as long as the
    /// process.
    fn write_to(&self, mut sink: impl Sink) {
        loop {
            // An error of the log itself cannot be reported anywhere.
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

    /// Returns a note with the number of lost lines. The note is written instead of these lines.
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
        // More lines than fit into the queue and the pipe together.
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
