//! The reasons why a machine refuses namespaces to an ordinary user, each with its remedy.
//!
//! The program tries an operation first. It reads the settings of the machine only if the operation
//! fails, to find the cause: a setting alone does not show whether a user is refused.

use std::fmt;
use std::io;
use std::path::Path;

use super::super::text;
use crate::lab::failure::Failure;

/// An operation that makes the namespaces of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The creation of the namespaces.
    Namespaces,
    /// A mount on the directory `/run`.
    Run,
    /// The mount of the file system proc on `/proc`.
    Processes,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Namespaces => "making a user namespace",
            Operation::Run => "mounting in /run",
            Operation::Processes => "mounting /proc",
        })
    }
}

/// The settings of a machine that can refuse namespaces to users. For each setting: its file below
/// `/proc/sys`, the value that refuses namespaces, and a value that allows them.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("user/max_user_namespaces", "0", "10000"),
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
];

/// The remedy if no cause is known.
const POLICY: &str = "a security policy forbids this operation, for example the policy of a \
                      container (seccomp) or of SELinux: ask the administrator of this machine";
/// The remedy for a `/proc` of which a part is hidden.
const MASKED: &str = "a part of /proc is hidden, as in a container, so the kernel allows no second \
                      /proc: start the container with `--security-opt systempaths=unconfined` \
                      (docker) or `--security-opt unmask=ALL` (podman)";

/// Makes the error of an operation that was refused, with the cause and the remedy.
pub fn refused(operation: Operation, error: &io::Error) -> Failure {
    Failure::new(explained(operation, error, Path::new("/proc/sys")))
}

fn explained(operation: Operation, error: &io::Error, settings: &Path) -> String {
    let is_policy = matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES | libc::ENOSPC));
    let setting = SETTINGS.iter().find(|(file, bad, _)| {
        text::read(&settings.join(file)).is_ok_and(|value| value.trim() == *bad)
    });
    let remedy = match setting.filter(|_| is_policy) {
        Some((file, bad, good)) => {
            let name = file.replace('/', ".");
            format!("the setting {name} is {bad}: run `sysctl {name}={good}` as root")
        }
        None if operation == Operation::Processes => MASKED.to_owned(),
        None => POLICY.to_owned(),
    };
    format!(
        "this machine refuses labs in namespaces to users other than root: {operation}: {error}\n\
         {remedy}\nor use sudo, or run the lab on the simulator with --sim"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_setting_that_refuses_is_named_with_its_remedy() {
        let settings = tempfile::tempdir().unwrap();
        for directory in ["user", "kernel"] {
            fs::create_dir(settings.path().join(directory)).unwrap();
        }
        let said = |operation, number| {
            let error = io::Error::from_raw_os_error(number);
            explained(operation, &error, settings.path())
        };
        let set = |file: &str, value: &str| {
            fs::write(settings.path().join(file), format!("{value}\n")).unwrap();
        };
        for (file, bad, good) in SETTINGS {
            set(file, good);
            assert!(said(Operation::Namespaces, libc::EPERM).contains("seccomp"), "{file}");
            set(file, bad);
            let name = file.replace('/', ".");
            let remedy = format!("the setting {name} is {bad}: run `sysctl {name}={good}` as root");
            for number in [libc::EPERM, libc::EACCES, libc::ENOSPC] {
                let said = said(Operation::Namespaces, number);
                assert!(said.contains(&remedy), "{said}");
            }
            assert!(!said(Operation::Run, libc::ENOENT).contains(&name), "another error");
            set(file, good);
        }
    }

    #[test]
    fn a_proc_that_is_refused_without_a_setting_is_masked() {
        let nowhere = Path::new("/nonexistent");
        let error = io::Error::from_raw_os_error(libc::EPERM);
        let said = explained(Operation::Processes, &error, nowhere);
        assert!(said.contains("mounting /proc: Operation not permitted"), "{said}");
        assert!(said.contains("unmask=ALL") && said.contains("--sim"), "{said}");
    }
}
