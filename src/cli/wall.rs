//! The second wall around scripts, the kernel's, for what the first may let through by mistake: Landlock, where Linux
//! has it. It knows folders and files, neither hidden names nor who wrote a file; and it lets nothing start a process
//! or open a connection.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, Scope, make_bitflags, path_beneath_rules,
};
use tumble::host::{Access, Permissions};

/// The rights that the wall knows; an older kernel takes those that it has.
const RIGHTS: ABI = ABI::V6;

/// What the program itself reads while it runs: how much memory there is, and how many processors.
const OWN: [&str; 7] = [
    "/proc/meminfo",
    "/proc/self/cgroup",
    "/proc/self/limits",
    "/proc/self/mountinfo",
    "/proc/self/status",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
];

/// Confines the calling thread, and the threads that it is going to start, to what `permissions` and the prompt's
/// history need. Where the kernel has no such wall, there is none.
pub(super) fn raise(permissions: &Permissions, history: Option<&Path>) {
    let _ = permissions.reach().map(|reach| confine(reach, history));
}

fn confine<'a>(
    reach: impl Iterator<Item = (Access, &'a Path)>,
    history: Option<&Path>,
) -> Result<RestrictionStatus, RulesetError> {
    let reading = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let writing = reading | make_bitflags!(AccessFs::{WriteFile | Truncate | MakeReg | MakeDir | RemoveFile});
    let rights = |access| if access == Access::Read { reading } else { writing };
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS))?
        .handle_access(AccessNet::from_all(RIGHTS))?
        .scope(Scope::from_all(RIGHTS))?
        .create()?;
    // The kernel makes these files anew, which no rule knows, once nobody holds them.
    std::mem::forget(OWN.map(PathFd::new));
    let own = path_beneath_rules(OWN, reading);
    let granted = reach.flat_map(|(access, path)| path_beneath_rules([path], rights(access)));
    ruleset.add_rules(own)?.add_rules(granted)?.add_rules(path_beneath_rules(history, writing))?.restrict_self()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind::PermissionDenied;
    use std::process::Command;

    use landlock::RulesetStatus;

    use super::*;

    /// In a thread of its own, since no wall is ever taken down.
    #[test]
    fn the_kernel_lets_nothing_else_through() {
        let [inside, beside, outside] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let files = [&inside, &beside, &outside].map(|folder| folder.path().join("file"));
        files.iter().for_each(|file| fs::write(file, "text").unwrap());
        let test = move || {
            let permissions = Permissions::none().working_folder(inside.path()).unwrap().allow_read(&files[1]).unwrap();
            let status = confine(permissions.reach().unwrap(), None).unwrap();
            if status.ruleset == RulesetStatus::NotEnforced {
                return;
            }
            let denied = |error: std::io::Error| assert_eq!(error.kind(), PermissionDenied, "{error}");
            fs::write(&files[0], "new").unwrap();
            fs::rename(&files[0], files[0].with_file_name("other")).unwrap();
            assert_eq!(fs::read_to_string(&files[1]).unwrap(), "text");
            denied(fs::write(&files[1], "new").unwrap_err());
            denied(fs::read(&files[2]).unwrap_err());
            std::thread::spawn(move || denied(fs::read(&files[2]).unwrap_err())).join().unwrap();
            denied(fs::read("/proc/self/environ").unwrap_err());
            denied(Command::new("true").status().unwrap_err());
            for own in ["/proc/meminfo", "/proc/self/status"] {
                assert!(fs::read(own).is_ok(), "{own}");
            }
        };
        std::thread::spawn(test).join().unwrap();
    }
}
