//! The folder of run files, and the names of runs.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::lock::is_in_use;
use super::place::{check_file, check_folder, real};
use super::{
    FilterTotals, OpenError, RunContext, RunHeader, RunReader, RunRef, TemplateTotals, UserTotals,
};
use crate::model::{CanonicalAddress, Outcome, RunId};
use crate::private_file::make_folder;

const EXTENSION: &str = "run";
/// The name of the run that was started last.
pub const LATEST: &str = "latest";

/// The folder of run files.
#[derive(Clone, Debug)]
pub struct RunStore {
    folder: PathBuf,
    /// Options that commands about its runs need.
    context: RunContext,
}

/// How far a run was undone by the last one that began to undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoExtent {
    /// Everything, or the file of that run is elsewhere.
    Whole,
    /// Users were left out, rows were left alone or failed, or the run went on afterwards.
    Part,
    /// That undo was itself undone.
    TakenBack,
}

/// The data that `runs` shows of a run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The header of the run.
    pub header: RunHeader,
    /// The number of its users.
    pub users: UserTotals,
    /// The number of their filters.
    pub filters: FilterTotals,
    /// The number of its templates.
    pub templates: TemplateTotals,
    /// The last run that began to undo it.
    pub undone_by: Option<RunId>,
    /// How far that run came, as far as it is in the same store.
    pub undo_extent: UndoExtent,
    /// Whether any request that writes may have been sent.
    pub has_written: bool,
    /// Whether a process drives the run at this moment, on this computer.
    pub is_in_use: bool,
}

/// The path of a run that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPath {
    path: PathBuf,
    is_own: bool,
}

impl RunPath {
    /// Whether the file is in the own store, with links resolved. The contents of another file are only claims.
    pub fn is_own(&self) -> bool {
        self.is_own
    }
}

impl Deref for RunPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl RunStore {
    /// The store in a state folder. Creates nothing.
    pub fn new(state_dir: &Path) -> Self {
        Self {
            folder: state_dir.join("runs"),
            context: RunContext::default(),
        }
    }

    /// The same store, with options of commands about its runs.
    #[must_use]
    pub fn with_context(self, context: RunContext) -> Self {
        Self { context, ..self }
    }

    /// Options that commands about its runs need.
    pub const fn context(&self) -> &RunContext {
        &self.context
    }

    /// The store with this folder of run files.
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            context: RunContext::default(),
        }
    }

    pub(super) fn files(&self) -> Result<Vec<PathBuf>, OpenError> {
        let path = |id: RunId| self.folder.join(format!("{id}.{EXTENSION}"));
        Ok(self.ids()?.into_iter().map(path).collect())
    }

    /// The path of a new run's file. Creates the folder, for its owner only, because run files contain names of users.
    pub fn path_for(&self, run: &RunId) -> Result<PathBuf, OpenError> {
        make_folder(&self.folder).map_err(|source| OpenError::Io {
            path: self.folder.clone(),
            source,
        })?;
        check_folder(&self.folder)?;
        Ok(self.path_of(run))
    }

    /// Finds a run: by `latest`, by its id or a unique prefix of it in the store; by its path elsewhere. A path has
    /// a separator or ends in `.run`.
    pub fn find(&self, name: &str) -> Result<RunPath, OpenError> {
        check_folder(&self.folder)?;
        if is_path(name) {
            return self.named(PathBuf::from(name));
        }
        let id = if name == LATEST {
            self.latest()?
        } else {
            self.id_of(name)?
        };
        let path = self.path_of(&id);
        self.named(path)
    }

    /// The name in commands of the run in this file.
    pub fn reference(&self, path: &Path, run: &RunId) -> RunRef {
        let is_stored =
            self.holds(path) && path.file_stem().is_some_and(|stem| stem == run.as_str());
        let reference = if is_stored {
            RunRef::stored(run)
        } else {
            RunRef::elsewhere(run, path)
        };
        reference.with_context(self.context.clone())
    }

    /// The organisation and address of each run. Files that cannot be read are ignored.
    pub fn organizations(&self) -> Result<Vec<(CanonicalAddress, Uuid)>, OpenError> {
        check_folder(&self.folder)?;
        let mut met: Vec<_> = self
            .headers()?
            .map(|(_, header)| (header.environment.canonical(), header.organization.id))
            .collect();
        met.sort_unstable();
        met.dedup();
        Ok(met)
    }

    /// The folder itself, with links resolved; none where it does not exist.
    pub(super) fn real_folder(&self) -> Option<PathBuf> {
        real(&self.folder).ok()
    }

    fn named(&self, path: PathBuf) -> Result<RunPath, OpenError> {
        // A link in the store may lead elsewhere.
        let is_own = self.holds(&path);
        if is_own {
            check_file(&path)?;
        }
        Ok(RunPath { path, is_own })
    }

    fn holds(&self, path: &Path) -> bool {
        let (Ok(file), Some(folder)) = (real(path), self.real_folder()) else {
            return false;
        };
        file.parent() == Some(&folder)
    }

    fn path_of(&self, run: &RunId) -> PathBuf {
        self.folder.join(format!("{run}.{EXTENSION}"))
    }

    fn no_such_run(&self, name: &str) -> OpenError {
        OpenError::NoSuchRun {
            name: name.to_owned(),
            place: self.folder.clone(),
            context: self.context.clone(),
        }
    }

    /// The error where a file that cannot be read may be the newest run, so that no other run is taken for it.
    pub fn latest_unknown(&self, why: OpenError) -> OpenError {
        OpenError::LatestUnknown {
            why: Box::new(why),
            context: self.context.clone(),
        }
    }

    fn id_of(&self, name: &str) -> Result<RunId, OpenError> {
        let prefix = name.to_ascii_lowercase();
        let mut candidates = self.ids()?;
        candidates.retain(|id| !prefix.is_empty() && id.as_str().starts_with(&prefix));
        match &candidates[..] {
            [one] => Ok(one.clone()),
            [] => Err(self.no_such_run(name)),
            _ => Err(OpenError::Ambiguous {
                name: name.to_owned(),
                candidates,
            }),
        }
    }

    fn latest(&self) -> Result<RunId, OpenError> {
        self.latest_of(|_| true)?.ok_or_else(|| self.no_runs(false))
    }

    /// Finds the run of some environments that began last.
    pub fn find_latest(
        &self,
        is_wanted: impl Fn(&RunHeader) -> bool,
    ) -> Result<RunPath, OpenError> {
        check_folder(&self.folder)?;
        let latest = self.latest_of(is_wanted)?;
        let latest = latest.ok_or_else(|| self.no_runs(true))?;
        self.named(self.path_of(&latest))
    }

    fn no_runs(&self, is_of_some: bool) -> OpenError {
        OpenError::NoRuns {
            is_of_some,
            context: self.context.clone(),
        }
    }

    fn latest_of(&self, wanted: impl Fn(&RunHeader) -> bool) -> Result<Option<RunId>, OpenError> {
        let mut begun = Vec::new();
        for id in self.ids()? {
            let reader = RunReader::open(&self.path_of(&id));
            let reader = reader.map_err(|why| self.latest_unknown(why))?;
            if wanted(&reader.header) {
                begun.push((reader.header.started, id));
            }
        }
        let latest = begun.into_iter().max_by_key(|(started, _)| *started);
        Ok(latest.map(|(_, id)| id))
    }

    /// The headers of all runs that can be read, with the names of their files.
    fn headers(&self) -> Result<impl Iterator<Item = (RunId, RunHeader)>, OpenError> {
        let ids = self.ids()?.into_iter();
        Ok(ids.filter_map(|id| {
            let reader = RunReader::open(&self.path_of(&id)).ok()?;
            Some((id, reader.header))
        }))
    }

    /// All runs in the store, the newest first, and the errors of files that could not be read.
    pub fn list(&self) -> Result<(Vec<Summary>, Vec<OpenError>), OpenError> {
        check_folder(&self.folder)?;
        let (mut summaries, mut unreadable) = (Vec::new(), Vec::new());
        for id in self.ids()? {
            match summary(&self.path_of(&id)) {
                Ok(summary) => summaries.push(summary),
                Err(error) => unreadable.push(error),
            }
        }
        summaries.sort_by_key(|summary| std::cmp::Reverse(summary.header.started));
        add_undos(&mut summaries);
        Ok((summaries, unreadable))
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

impl RunReader {
    /// The same run, named by its id where its file is in this store.
    pub fn of_store(mut self, store: &RunStore) -> Self {
        self.reference = store.reference(self.path(), &self.header.id);
        self
    }
}

/// Adds the undo of runs whose own file does not name it, because they were undone on another computer and that undo
/// was imported. The newest comes first.
fn add_undos(summaries: &mut [Summary]) {
    let undos = summaries.iter().filter(|run| run.has_written);
    let undos: Vec<_> = undos
        .filter_map(|run| Some((run.header.undoes.clone()?, run.header.id.clone())))
        .collect();
    for run in summaries.iter_mut().filter(|run| run.undone_by.is_none()) {
        let by = undos.iter().find(|(undone, _)| *undone == run.header.id);
        run.undone_by = by.map(|(_, by)| by.clone());
    }
    // The newest comes first: how far the undo of an undo came is known when it is asked for.
    for at in 0..summaries.len() {
        let by = summaries[at].undone_by.clone();
        let by = summaries
            .iter()
            .find(|run| Some(&run.header.id) == by.as_ref());
        let extent = by.map_or(UndoExtent::Whole, Summary::extent_as_undo);
        // A run that went on after its undo has changed more since.
        let went_on = summaries[at].undo_extent == UndoExtent::Part;
        if !(went_on && extent == UndoExtent::Whole) {
            summaries[at].undo_extent = extent;
        }
    }
}

impl Summary {
    /// How far this undo came, and still holds.
    fn extent_as_undo(&self) -> UndoExtent {
        let is_whole = self.header.outcome == Some(Outcome::Complete) && self.users.left_out == 0;
        match (&self.undone_by, self.undo_extent) {
            (Some(_), UndoExtent::Whole) => UndoExtent::TakenBack,
            (Some(_), UndoExtent::Part) => UndoExtent::Part,
            _ if is_whole => UndoExtent::Whole,
            _ => UndoExtent::Part,
        }
    }
}

fn summary(path: &Path) -> Result<Summary, OpenError> {
    let reader = RunReader::open(path)?;
    let header = reader.header.clone();
    Ok(reader.view(|view| {
        Ok(Summary {
            header,
            users: view.users()?,
            filters: view.filters()?,
            templates: view.template_totals()?,
            undone_by: view.undone_by()?,
            undo_extent: match view.stays_put_back()? {
                Some(_) => UndoExtent::Part,
                None => UndoExtent::Whole,
            },
            has_written: view.has_written()?,
            is_in_use: is_in_use(path),
        })
    })?)
}

fn is_path(name: &str) -> bool {
    let has_separator = name.contains(std::path::is_separator);
    has_separator
        || Path::new(name)
            .extension()
            .is_some_and(|extension| extension == EXTENSION)
}
