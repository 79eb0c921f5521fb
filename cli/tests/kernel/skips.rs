//! Which kernels a test may do without. Takes the name of a series, and `EBSEC_SKIP_KERNELS` (names with commas) from the
//! environment; a kernel that is not available and not named there fails the test.

use std::process::Command;

/// Whether the environment allows a test to do without a series.
pub fn is_allowed(series: &str) -> bool {
    std::env::var("EBSEC_SKIP_KERNELS").is_ok_and(|all| all.split(',').any(|one| one.trim() == series))
}

/// Why a kernel is not available, if it is not.
pub fn missing(ebsec: &str, series: &str) -> Option<String> {
    let listed = Command::new(ebsec).args(["kernels", series]).output().unwrap();
    (!listed.status.success()).then(|| String::from_utf8_lossy(&listed.stdout).trim().to_owned())
}

/// Whether there is a kernel to test on. One that is missing is printed where that is allowed, and fails elsewhere.
pub fn is_available(ebsec: &str, series: &str) -> bool {
    let Some(reason) = missing(ebsec, series) else { return true };
    assert!(is_allowed(series), "kernel {reason}\nto test without it, set EBSEC_SKIP_KERNELS={series}");
    println!("SKIPPED kernel {reason}");
    false
}
