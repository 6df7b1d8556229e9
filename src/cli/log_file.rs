//! `--log-file`: the steps of this program and every request, as JSON lines, for support.
//!
//! No header, body or query is logged; texts are searched for tokens nevertheless.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::bounded_file::check_regular;
use crate::model::disclosure::{named_path, without_tokens};
use crate::model::text::is_unsafe;
use crate::private_file::private;

use super::printer::Printer;

/// The largest log, in bytes: then it is renamed, and a new one begins. With the previous one there are twice as many
/// bytes at most. A run of 10,000 users writes about 4 MB.
const LARGEST: u64 = 8 << 20;

/// The beginning of every line, by which a log is distinguished from other files.
const BEGIN: &str = "{\"time\":";

/// A log of limited size in a private file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    largest: u64,
    /// None while it is renamed, because Windows renames no open file.
    file: Option<File>,
    written: u64,
    /// Whether writing has failed, for example because the disk is full.
    has_ended: bool,
}

impl LogFile {
    /// Opens a log to append to it.
    ///
    /// # Errors
    /// Where the file cannot be written, and where it is not a log.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::of_size(path, LARGEST)
    }

    fn of_size(path: &Path, largest: u64) -> io::Result<Self> {
        if let Ok(about) = std::fs::metadata(path) {
            check_regular(&about)?;
            let mut begin = Vec::new();
            let bytes = u64::try_from(BEGIN.len()).unwrap_or(u64::MAX);
            File::open(path)?.take(bytes).read_to_end(&mut begin)?;
            if !begin.is_empty() && begin != BEGIN.as_bytes() {
                return Err(io::Error::other("it is there, and is not a log"));
            }
        }
        let mut log = Self {
            path: path.to_owned(),
            largest,
            file: None,
            written: 0,
            has_ended: false,
        };
        log.begin()?;
        Ok(log)
    }

    fn begin(&mut self) -> io::Result<()> {
        let file = private().append(true).create(true).open(&self.path)?;
        // An existing file may have been made by another program.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        self.written = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    fn write_line(&mut self, line: &str) -> io::Result<()> {
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.written > 0 && self.written.saturating_add(bytes) > self.largest {
            self.file = None;
            std::fs::rename(&self.path, aside(&self.path))?;
            self.begin()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(line.as_bytes())?;
            self.written += bytes;
        }
        Ok(())
    }

    /// Writes a line. The first failure ends the log: it returns the reason, and later calls return nothing.
    fn log(&mut self, line: &str) -> Option<String> {
        if self.has_ended {
            return None;
        }
        let error = self.write_line(line).err()?;
        self.has_ended = true;
        self.file = None;
        Some(format!(
            "{} cannot be written any more: {error}. The command goes on without it.",
            named_path("the log file", &self.path)
        ))
    }
}

/// The path to which a full log is renamed.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// Writes events as JSON lines.
pub(super) struct JsonLines(Mutex<LogFile>);

impl JsonLines {
    pub(super) fn new(log: LogFile) -> Self {
        Self(Mutex::new(log))
    }
}

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let line = line(
            Timestamp::now(),
            about.level().as_str(),
            about.target(),
            fields.0,
        );
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let why = log.log(&line);
        drop(log);
        // A failed log stops no run.
        if let Some(why) = why {
            Printer::warn(&why);
        }
    }
}

/// One event as a line.
fn line(time: Timestamp, level: &str, module: &str, fields: Map<String, Value>) -> String {
    let text = |text: &str| Value::String(text.to_owned()).to_string();
    let mut line = format!(
        "{BEGIN}{},\"level\":{},\"module\":{}",
        text(&time.to_string()),
        text(level),
        text(module)
    );
    for (name, value) in fields {
        line.push(',');
        line.push_str(&text(&name));
        line.push(':');
        line.push_str(&value.to_string());
    }
    line.push('}');
    // The log may be shown on a terminal, which it must not control.
    let mut safe = String::with_capacity(line.len() + 1);
    for c in line.chars() {
        if is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe.push('\n');
    safe
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, without_tokens(&format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, without_tokens(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    fn lines(path: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        let read = |line: &str| serde_json::from_str(line).unwrap();
        text.lines().map(read).collect()
    }

    #[test]
    fn an_event_is_one_line_that_reads_back_and_steers_no_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let layer = JsonLines::new(LogFile::open(&path).unwrap());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let why = "no\n\u{1b}[2J\u{202e}\u{e0041} eyJhbGci.canary.canary";
            tracing::debug!(status = 200, ok = true, why, "asked");
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !is_unsafe(c)), "{text}");
        let all = lines(&path);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0]["status"], 200);
        assert_eq!(all[0]["ok"], true);
        assert_eq!(all[0]["message"], "asked");
        assert_eq!(all[0]["why"], "no\n\u{1b}[2J\u{202e}\u{e0041} (not shown)");
    }

    #[test]
    fn a_log_goes_on_is_private_and_never_larger_than_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        for n in 0..100 {
            let mut log = LogFile::of_size(&path, 1_000).unwrap();
            let fields = [("n".to_owned(), n.into())].into_iter().collect();
            log.write_line(&line(Timestamp::UNIX_EPOCH, "INFO", "m", fields))
                .unwrap();
        }
        for path in [path.clone(), aside(&path)] {
            let about = std::fs::metadata(&path).unwrap();
            assert!((1..=1_000).contains(&about.len()), "{about:?}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(about.permissions().mode() & 0o777, 0o600);
            }
        }
        assert_eq!(lines(&path).last().unwrap()["n"], 99);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_log_that_cannot_be_written_any_more_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = LogFile::open(&path).unwrap();
        assert_eq!(log.log("a\n"), None);
        // Nothing can be written into it from here on, as on a full disk.
        log.file = Some(File::open(&path).unwrap());
        let said = log.log("b\n").unwrap();
        assert!(
            said.contains("a.log") && said.contains("goes on without it"),
            "{said}"
        );
        for _ in 0..3 {
            assert_eq!(log.log("c\n"), None);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\n");
    }

    #[test]
    fn a_file_that_is_no_log_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "[pace]\n").unwrap();
        assert!(LogFile::open(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[pace]\n");
        assert!(LogFile::open(folder.path()).is_err());
    }
}
