//! Where the configuration file and the run files live.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::plan::GuardsByOrganization;

use super::{ConfigFile, SettingsError};

const FOLDER: &str = "syncfilters";

/// Where the guards are read, each time they are needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConfigSource {
    /// Nowhere: there is no configuration file in this.
    #[default]
    None,
    /// The configuration file, where it was asked for or where it usually is.
    File(Option<PathBuf>),
}

impl ConfigSource {
    /// What every environment of the file asks for, as it stands now.
    pub fn guards_by_organization(&self) -> Result<GuardsByOrganization, SettingsError> {
        let Self::File(asked) = self else {
            return Ok(GuardsByOrganization::default());
        };
        let (path, asked_for) = config_path(asked.as_deref())?;
        Ok(ConfigFile::read(&path, asked_for)?.guards_by_organization())
    }
}

/// The configuration file: the one asked for, else `syncfilters/config.toml` in the user's
/// configuration folder. The flag says whether it was asked for, and so has to exist.
pub fn config_path(asked: Option<&Path>) -> Result<(PathBuf, bool), SettingsError> {
    match asked {
        Some(path) => Ok((path.to_owned(), true)),
        None => Ok((base()?.config_dir().join(FOLDER).join("config.toml"), false)),
    }
}

/// The folder of run files: the one asked for, else `syncfilters` in the user's state folder. State and
/// not cache, because undo depends on it.
pub fn state_dir(asked: Option<&Path>) -> Result<PathBuf, SettingsError> {
    match asked {
        Some(path) => Ok(path.to_owned()),
        None => Ok(state_base(&base()?, cfg!(windows)).join(FOLDER)),
    }
}

/// On Windows the local folder, `%LOCALAPPDATA%`: the other one roams, and may be redirected to a file server, where
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
