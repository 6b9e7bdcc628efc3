//! What this process has used, and making it read from the disk: on Linux; elsewhere zeros, and nothing is done.

use std::fs;

/// CPU seconds so far, user and system, of all threads; Linux counts them in hundredths.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, of which two are before the name's closing parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// The largest resident memory so far, in MB: mapped files included.
#[must_use]
pub fn peak_rss_mb() -> f64 {
    number_of("/proc/self/status", "VmHWM:") / 1e3
}

/// Resident memory now that is no file's, in MB.
#[must_use]
pub fn anonymous_mb() -> f64 {
    number_of("/proc/self/status", "RssAnon:") / 1e3
}

/// Bytes that were read from storage so far: what was in memory already does not count.
#[must_use]
pub fn storage_bytes_read() -> u64 {
    number_of("/proc/self/io", "read_bytes:") as u64
}

/// The number behind a name in one of Linux's lists.
fn number_of(path: &str, name: &str) -> f64 {
    let list = fs::read_to_string(path).unwrap_or_default();
    let line = list.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// Asks the system to forget what it has in memory of the files below a folder. It keeps what some process has mapped,
/// and what is not on the disk yet.
///
/// # Errors
/// When a file cannot be opened, or the system refuses.
#[cfg(target_os = "linux")]
pub fn forget_files(folder: &std::path::Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            forget_files(&path)?;
        } else {
            rustix::fs::fadvise(fs::File::open(&path)?, 0, None, rustix::fs::Advice::DontNeed)?;
        }
    }
    Ok(())
}

/// Asks the system to forget what it has in memory of the files below a folder.
///
/// # Errors
/// None here.
#[cfg(not(target_os = "linux"))]
pub fn forget_files(_folder: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}
