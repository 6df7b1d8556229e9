//! What the operating system knows of a process. Only Linux tells; elsewhere the figures are left out.

use std::fs::read_to_string;

use super::table::real;

/// Ticks in a second, as `/proc` counts them on every Linux that Rust runs on.
const TICKS: f64 = 100.0;
/// Where the processor time of `/proc/self/stat` stands, counted from what follows the name.
const OWN: usize = 11;
const CHILDREN: usize = 13;

/// Processor time of all children that have ended and were waited for, in seconds.
pub(crate) fn cpu_of_children() -> Option<f64> {
    cpu(CHILDREN)
}

/// Processor time of this process, in seconds.
pub(crate) fn own_cpu() -> Option<f64> {
    cpu(OWN)
}

fn cpu(first: usize) -> Option<f64> {
    let stat = read_to_string("/proc/self/stat").ok()?;
    // The name, in parentheses, may contain anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(first);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(real(user + system) / TICKS)
}

/// The most memory that a process has had resident so far, in KiB.
pub(crate) fn peak_kib(pid: u32) -> Option<u64> {
    line(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// Cores and memory; no names.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = line("/proc/meminfo", "MemTotal:").map_or_else(String::new, |kib| {
        format!(", {:.0} GiB of memory", real(kib) / 1024.0 / 1024.0)
    });
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{cores} cores ({processor}){memory}, {system}")
}

fn line(path: &str, name: &str) -> Option<u64> {
    let text = read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}
