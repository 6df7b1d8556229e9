//! Where run files live, and how a run is named.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{FilterTotals, Head, OpenError, RunReader, UserTotals};
use crate::model::{CanonicalAddress, RunId};

const EXTENSION: &str = "run";

/// The folder of run files.
#[derive(Clone, Debug)]
pub struct RunStore {
    folder: PathBuf,
}

/// What `runs` shows of a run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What it is.
    pub head: Head,
    /// Its users.
    pub users: UserTotals,
    /// Their filters.
    pub filters: FilterTotals,
}

impl RunStore {
    /// The store in a state folder. Nothing is created yet.
    pub fn new(state_dir: &Path) -> Self {
        Self {
            folder: state_dir.join("runs"),
        }
    }

    /// Where the file of a new run goes; makes the folder, for its owner only, because run files name people.
    pub fn path_for(&self, run: &RunId) -> Result<PathBuf, OpenError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.folder)
            .map_err(|source| OpenError::Io {
                path: self.folder.clone(),
                source,
            })?;
        Ok(self.folder.join(format!("{run}.{EXTENSION}")))
    }

    /// Finds a run by its path, its id, or any unique prefix of its id.
    pub fn find(&self, name: &str) -> Result<PathBuf, OpenError> {
        let path = Path::new(name);
        let looks_like_a_path = path.components().count() > 1 || path.extension().is_some();
        if path.is_file() || looks_like_a_path {
            return Ok(path.to_owned());
        }
        let prefix = name.to_ascii_lowercase();
        let mut candidates = self.ids()?;
        candidates.retain(|id| !prefix.is_empty() && id.as_str().starts_with(&prefix));
        match &candidates[..] {
            [one] => Ok(self.folder.join(format!("{one}.{EXTENSION}"))),
            [] => Err(OpenError::NoSuchRun {
                name: name.to_owned(),
                place: self.folder.clone(),
            }),
            _ => Err(OpenError::Ambiguous {
                name: name.to_owned(),
                candidates,
            }),
        }
    }

    /// Every run in the store, the newest first, and the files that could not be read.
    pub fn list(&self) -> Result<(Vec<Summary>, Vec<OpenError>), OpenError> {
        let (mut summaries, mut unreadable) = (Vec::new(), Vec::new());
        for id in self.ids()? {
            match summary(&self.folder.join(format!("{id}.{EXTENSION}"))) {
                Ok(summary) => summaries.push(summary),
                Err(error) => unreadable.push(error),
            }
        }
        summaries.sort_by_key(|summary| std::cmp::Reverse(summary.head.started));
        Ok((summaries, unreadable))
    }

    /// Where each run of the store was made, and the organisation that answered there. What cannot be read is left out:
    /// it is said where runs are listed.
    pub fn organizations(&self) -> Result<Vec<(CanonicalAddress, Uuid)>, OpenError> {
        let heads = self.ids()?.into_iter().filter_map(|id| {
            let path = self.folder.join(format!("{id}.{EXTENSION}"));
            Some(RunReader::open(&path).ok()?.head)
        });
        let met = heads.map(|head| {
            let address = CanonicalAddress::of(head.environment.as_url());
            (address, head.organization.id)
        });
        Ok(met.collect())
    }

    fn ids(&self) -> Result<Vec<RunId>, OpenError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(OpenError::Io {
                    path: self.folder.clone(),
                    source,
                });
            }
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut ids: Vec<RunId> = names
            .filter_map(|name| name.strip_suffix(".run")?.parse().ok())
            .collect();
        ids.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        Ok(ids)
    }
}

fn summary(path: &Path) -> Result<Summary, OpenError> {
    let reader = RunReader::open(path)?;
    let (users, filters) = reader.view(|view| Ok((view.users()?, view.filters()?)))?;
    Ok(Summary {
        head: reader.head,
        users,
        filters,
    })
}
