//! What was submitted of a sweep: `slurm/1.job`, which tells tasks what to do, the batch file `slurm/1.sh`, and the
//! number of the job, `slurm/1.id`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tumble::host::Hold;
use tumble::{Error, Host};

use super::queue::Waiting;
use crate::cli::job::Job;

/// What was submitted so far.
pub(in crate::cli) struct Submissions {
    folder: PathBuf,
    /// The job of each, with its number, if Slurm took it.
    all: Vec<(Job, Option<String>)>,
}

impl Submissions {
    /// Those of the sweep in a folder.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(in crate::cli) fn read(sweep: &Path, host: &Host) -> tumble::Result<Self> {
        let mut found = Self { folder: sweep.join("slurm"), all: Vec::new() };
        while host.has_file(&found.next())? {
            let path = found.next();
            let job = serde_json::from_str(&host.read_text(&path)?);
            let job = job.map_err(|problem| Error::file("read", &path, problem))?;
            let id = path.with_extension("id");
            let id = if host.has_file(&id)? { Some(host.read_text(&id)?.trim().to_owned()) } else { None };
            found.all.push((job, id));
        }
        Ok(found)
    }

    /// Whether Slurm took none.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.all.iter().all(|(_, id)| id.is_none())
    }

    /// The file of the next one.
    pub(super) fn next(&self) -> PathBuf {
        self.folder.join(format!("{}.job", self.all.len() + 1))
    }

    /// Writes the next one, and returns its batch file.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn write(&self, job: &Job, batch: &str, host: &Host) -> tumble::Result<PathBuf> {
        host.create_folder(&self.folder)?;
        let file = self.next();
        host.write_bytes(&file, serde_json::to_string_pretty(job).expect("keys are strings").as_bytes())?;
        let file = file.with_extension("sh");
        host.write_bytes(&file, batch.as_bytes())?;
        Ok(file)
    }

    /// Goes on to the one behind the next, which is only shown.
    pub(super) fn pass(&mut self, job: Job) {
        self.all.push((job, None));
    }

    /// Takes the next one away again, which Slurm did not take.
    ///
    /// # Errors
    /// When that is not possible.
    pub(super) fn withdraw(&self, host: &Host) -> tumble::Result<()> {
        let file = self.next();
        host.remove_file(&file.with_extension("sh")).and_then(|()| host.remove_file(&file))
    }

    /// Notes the number of the job that the next one became.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn note(&mut self, job: Job, id: &str, host: &Host) -> tumble::Result<()> {
        host.write_bytes(&self.next().with_extension("id"), format!("{id}\n").as_bytes())?;
        self.all.push((job, Some(id.to_owned())));
        Ok(())
    }

    /// Keeps other processes from submitting the same points, until it is dropped.
    ///
    /// # Errors
    /// When another one is about to submit, or the folder cannot be written.
    pub(super) fn hold(sweep: &Path, host: &Host) -> tumble::Result<Hold> {
        let hold = host.hold(&sweep.join("slurm/submission"), &format!("process {}", std::process::id()))?;
        hold.ok_or_else(|| {
            let problem = format!("another `tumble submit` is at work on `{}`", sweep.display());
            Error::refused(problem).with_hint("wait for it, and look at what it says and `tumble status`")
        })
    }

    /// The tasks of these that wait or run: the point of each, with its name and Slurm's word for it.
    pub(in crate::cli) fn tasks<'a>(
        &'a self,
        waiting: &'a Waiting,
    ) -> impl Iterator<Item = (&'a str, String, &'a str)> {
        let jobs = self.all.iter().filter_map(|(job, id)| Some((job, id.as_ref()?)));
        jobs.flat_map(move |(job, id)| {
            job.points.iter().filter_map(move |(index, point)| {
                let task = format!("{id}_{index}");
                let word = waiting.get(&task)?;
                Some((point.as_str(), task, word.as_str()))
            })
        })
    }

    /// What the last task said last that was to compute a point, and the file that has all it said.
    pub(in crate::cli) fn last_words(&self, point: &str, host: &Host) -> Option<(String, PathBuf)> {
        let of_point = |(job, id): &(Job, Option<String>)| {
            let (index, _) = job.points.iter().find(|(_, name)| *name == point)?;
            Some(self.folder.join(format!("{}_{index}.txt", id.as_ref()?)))
        };
        let file = self.all.iter().rev().find_map(of_point)?;
        let text = String::from_utf8_lossy(&host.read(&file).ok()?).into_owned();
        Some((text.trim_end().lines().last().unwrap_or_default().to_owned(), file))
    }

    /// The points of these that wait or run.
    pub(super) fn waiting(&self, waiting: &Waiting) -> BTreeSet<String> {
        self.tasks(waiting).map(|(point, ..)| point.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_known_by_their_submission() {
        let place = tempfile::tempdir().unwrap();
        let host = Host::default();
        let read = || Submissions::read(place.path(), &host).unwrap();
        let job = |points: &[(usize, &str)]| Job {
            script: "a.rhai".into(),
            folder: place.path().to_owned(),
            points: points.iter().map(|(index, name)| (*index, (*name).to_owned())).collect(),
            ..Job::default()
        };
        let submit = |points: &[(usize, &str)], id: Option<&str>| {
            let mut submissions = read();
            submissions.write(&job(points), "#!/bin/sh\n", &host).unwrap();
            match id {
                Some(id) => submissions.note(job(points), id, &host).unwrap(),
                None => submissions.withdraw(&host).unwrap(),
            }
        };
        assert!(read().is_empty());
        submit(&[(0, "a=1"), (1, "a=2")], None);
        assert!(read().is_empty(), "Slurm did not take it");
        assert!(!place.path().join("slurm/1.sh").exists());
        let hold = Submissions::hold(place.path(), &host).unwrap();
        let refused = Submissions::hold(place.path(), &host).map(drop).unwrap_err().to_string();
        assert!(refused.contains("another `tumble submit` is at work"), "{refused}");
        drop(hold);
        submit(&[(0, "a=1"), (1, "a=2")], Some("10"));
        submit(&[(1, "a=2")], Some("12"));
        let words = [("10_0", "RUNNING"), ("12_1", "PENDING"), ("9_1", "PENDING")];
        let waiting: Waiting = words.map(|(task, word)| (task.to_owned(), word.to_owned())).into();
        let found = read();
        let tasks: Vec<_> = found.tasks(&waiting).collect();
        assert_eq!(tasks, [("a=1", "10_0".to_owned(), "RUNNING"), ("a=2", "12_1".to_owned(), "PENDING")]);
    }
}
