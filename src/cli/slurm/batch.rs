//! The batch file of an array.

use std::collections::BTreeMap;
use std::path::Path;

use tumble::Error;

/// What a batch file is made of.
pub(super) struct Batch<'a> {
    /// The folder of the sweep.
    pub(super) folder: &'a Path,
    /// The names of points by the numbers of tasks.
    pub(super) points: &'a BTreeMap<usize, String>,
    /// Tasks that run at a time.
    pub(super) at_once: Option<usize>,
    /// The number of a job behind which it is to begin.
    pub(super) behind: Option<&'a str>,
    /// What the user says to Slurm.
    pub(super) options: &'a [String],
    /// What the user says to tumble.
    pub(super) flags: &'a [String],
    /// The file that tells tasks what to do.
    pub(super) job: &'a Path,
}

/// The options for Slurm, a line each.
///
/// # Errors
/// When one would be more than options, or would say what tasks there are.
pub(super) fn options(given: &[String]) -> tumble::Result<Vec<String>> {
    for options in given {
        if options.chars().any(char::is_control) {
            return Err(Error::refused("the options for Slurm have more than one line"));
        }
        // Slurm takes the beginning of a long option for it, and what stands behind a letter for its value.
        let is_array = |word: &str| word.starts_with("--ar") || word == "--a" || word.starts_with("-a");
        if options.split_whitespace().any(is_array) {
            let error = Error::refused("the array of tasks is that of the points, and no option");
            return Err(error.with_hint("--at-once 10 lets no more than 10 tasks run at a time"));
        }
    }
    Ok(given.to_vec())
}

/// Refuses the name of a folder that Slurm or a shell would take for more than a name.
///
/// # Errors
/// When it has such characters.
pub(super) fn check(folder: &Path) -> tumble::Result<()> {
    let shown = folder.display().to_string();
    match shown.chars().find(|c| c.is_control() || "\"\\%$`".contains(*c)) {
        None => Ok(()),
        Some(sign) => {
            Err(Error::file("submit", folder, format!("its name has {sign:?}, which Slurm would take for its own"))
                .with_hint("give the sweep another folder"))
        }
    }
}

impl Batch<'_> {
    /// The text of the file, where the program is at this path.
    pub(super) fn text(&self, program: &Path) -> String {
        let folder = self.folder.display();
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let at_once = self.at_once.map(|count| format!("%{count}")).unwrap_or_default();
        let indices: Vec<usize> = self.points.keys().copied().collect();
        let mut lines = vec![
            "#!/bin/sh".to_owned(),
            format!("#SBATCH --job-name=\"{name}\""),
            format!("#SBATCH --array={}{at_once}", ranges(&indices)),
            format!("#SBATCH --output=\"{folder}/slurm/%A_%a.txt\""),
        ];
        lines.extend(self.behind.map(|id| format!("#SBATCH --dependency=afterany:{id}")));
        lines.extend(self.options.iter().map(|options| format!("#SBATCH {options}")));
        if let Some((index, name)) = self.points.first_key_value() {
            lines.push(format!("# A task is a point: task {index} is {name}."));
        }
        let mut command = vec!["exec".to_owned(), quoted(&program.display().to_string())];
        command.extend(self.flags.iter().map(|flag| quoted(flag)));
        if !self.flags.iter().any(|flag| flag.starts_with("--threads")) {
            command.push("--threads=\"${SLURM_CPUS_PER_TASK:-1}\"".to_owned());
        }
        command.extend(["share".to_owned(), quoted(&self.job.display().to_string())]);
        lines.push(command.join(" "));
        lines.join("\n") + "\n"
    }
}

/// Whole numbers in order as Slurm takes them: "0-3,7".
fn ranges(numbers: &[usize]) -> String {
    let mut parts: Vec<[usize; 2]> = Vec::new();
    for &number in numbers {
        match parts.last_mut().filter(|[_, last]| *last + 1 == number) {
            Some(part) => part[1] = number,
            None => parts.push([number; 2]),
        }
    }
    let part = |[first, last]: &[usize; 2]| if first == last { first.to_string() } else { format!("{first}-{last}") };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_file_has_a_task_for_each_point() {
        let points = [0, 1, 2, 7, 9, 10].map(|index| (index, format!("seed={index}"))).into_iter().collect();
        let options = options(&["--time=1:00:00 --mem=4G".to_owned()]).unwrap();
        let flags = ["--limit=memory=4G".to_owned(), "--allow-read=/data/a b".to_owned()];
        let (folder, job) = (Path::new("runs/tau"), Path::new("runs/tau/slurm/1.job"));
        let (at_once, behind) = (Some(3), None);
        let batch = Batch { folder, points: &points, at_once, behind, options: &options, flags: &flags, job };
        let expected = "#!/bin/sh\n#SBATCH --job-name=\"tau\"\n#SBATCH --array=0-2,7,9-10%3\n\
                        #SBATCH --output=\"runs/tau/slurm/%A_%a.txt\"\n#SBATCH --time=1:00:00 --mem=4G\n\
                        # A task is a point: task 0 is seed=0.\n\
                        exec /bin/tumble --limit=memory=4G '--allow-read=/data/a b' \
                        --threads=\"${SLURM_CPUS_PER_TASK:-1}\" share runs/tau/slurm/1.job\n";
        assert_eq!(batch.text(Path::new("/bin/tumble")), expected);
        let behind = Batch { behind: Some("12"), ..batch }.text(Path::new("/bin/tumble"));
        assert!(behind.contains("\n#SBATCH --dependency=afterany:12\n#SBATCH --time=1"), "{behind}");
    }

    #[test]
    fn options_are_a_line_and_no_array() {
        for array in ["-a0-5", "--arr=0-7", "--array 1"] {
            assert!(options(&[array.to_owned()]).is_err(), "{array}");
        }
        for folder in ["runs\"\ntouch x\n#", "50%j", "a\\b", "$(x)"] {
            assert!(check(Path::new(folder)).unwrap_err().to_string().contains("Slurm would take"), "{folder}");
        }
        assert!(check(Path::new("runs/a b, c=1")).is_ok());
        assert!(options(&["--time=1\nrm -r x".to_owned()]).unwrap_err().to_string().contains("more than one line"));
        assert!(options(&["--mem=4G --array=0-3".to_owned()]).unwrap_err().hint().unwrap().contains("--at-once"));
    }
}
