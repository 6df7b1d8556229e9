//! Where the configuration file and the run files are.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::plan::GuardsByOrganization;

use super::{ConfigFile, SettingsError};

// In the user's folders for configuration and for state.
const FOLDER: &str = "syncfilters";

/// Where guards are read from, each time they are needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConfigSource {
    /// There is no configuration file.
    #[default]
    None,
    /// This configuration file; `None` for the usual one.
    File(Option<PathBuf>),
}

impl ConfigSource {
    /// The guards of all environments in the file, as it is now.
    pub fn guards_by_organization(&self) -> Result<GuardsByOrganization, SettingsError> {
        let Self::File(asked) = self else {
            return Ok(GuardsByOrganization::default());
        };
        let (path, asked_for) = config_path(asked.as_deref())?;
        Ok(ConfigFile::read(&path, asked_for)?.guards_by_organization())
    }
}

/// The configuration file that was asked for, else `syncfilters/config.toml` in the user's
/// configuration folder. The flag says whether it was asked for and therefore has to exist.
pub fn config_path(asked: Option<&Path>) -> Result<(PathBuf, bool), SettingsError> {
    match asked {
        Some(path) => Ok((path.to_owned(), true)),
        None => Ok((base()?.config_dir().join(FOLDER).join("config.toml"), false)),
    }
}

/// The folder of run files that was asked for, else `syncfilters` in the user's state folder. It is state and
/// not cache, because undo depends on it.
pub fn state_dir(asked: Option<&Path>) -> Result<PathBuf, SettingsError> {
    match asked {
        Some(path) => Ok(path.to_owned()),
        None => Ok(state_base(&base()?, cfg!(windows)).join(FOLDER)),
    }
}

/// On Windows `%LOCALAPPDATA%`: the other folder roams, and may be redirected to a file server, where
/// SQLite's log does not work.
fn state_base(base: &impl BaseStrategy, on_windows: bool) -> PathBuf {
    if on_windows {
        // The library has no other name for it.
        return base.cache_dir();
    }
    base.state_dir().unwrap_or_else(|| base.data_dir())
}

fn base() -> Result<impl BaseStrategy, SettingsError> {
    etcetera::choose_base_strategy().map_err(|_| SettingsError::NoHome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use etcetera::base_strategy::{Windows, Xdg};

    #[test]
    fn run_files_stay_on_this_machine_and_are_no_cache() {
        let windows = state_base(&Windows::new().unwrap(), true);
        assert!(windows.ends_with("AppData/Local"), "{windows:?}");
        let other = Xdg::new().unwrap();
        let cache = other.cache_dir();
        assert_ne!(state_base(&other, false), cache);
    }

    #[test]
    fn a_path_that_was_asked_for_is_taken_as_it_is() {
        let path = Path::new("/somewhere/else");
        assert_eq!(state_dir(Some(path)).unwrap(), path);
        assert_eq!(config_path(Some(path)).unwrap(), (path.to_owned(), true));
    }
}
