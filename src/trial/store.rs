//! Stores the facts: a file for each organisation in the state folder.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

use crate::bounded_file;
use crate::model::ServerVersion;
use crate::private_file::make_folder;

use super::document::FactsDocument;
use super::facts::Findings;

/// The longest document that is read, in bytes. A document has about 6 KiB.
const LONGEST: usize = 64 << 10;

/// The facts that are kept in a state folder.
#[derive(Clone, Debug)]
pub struct FactStore {
    folder: PathBuf,
}

impl FactStore {
    /// The facts in a state folder. Nothing is created yet.
    pub fn new(state_dir: &Path) -> Self {
        Self {
            folder: state_dir.join("facts"),
        }
    }

    /// The facts of an organisation, if they still hold. A file that cannot be read, or has other contents, counts as
    /// none.
    pub fn load(
        &self,
        organization: Uuid,
        version: ServerVersion,
        now: Timestamp,
    ) -> Option<Findings> {
        let bytes = bounded_file::read(&self.path(organization), LONGEST).ok()?;
        let document: FactsDocument = serde_json::from_slice(&bytes).ok()?;
        document.findings(version, now)
    }

    /// Stores the facts of an organisation in place of earlier ones. Only the owner can read the file.
    pub fn keep(&self, organization: Uuid, document: &FactsDocument) -> io::Result<()> {
        make_folder(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(document)?)?;
        file.persist(self.path(organization))?;
        Ok(())
    }

    fn path(&self, organization: Uuid) -> PathBuf {
        self.folder.join(format!("{organization}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::{Answer, Fact};
    use super::*;

    const NINE: ServerVersion = ServerVersion { major: 9, minor: 2 };

    #[test]
    fn facts_are_kept_for_each_organisation_and_what_is_no_document_is_no_fact() {
        let folder = tempfile::tempdir().unwrap();
        let store = FactStore::new(folder.path());
        let (here, elsewhere) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let now = Timestamp::now();
        assert_eq!(store.load(here, NINE, now), None);
        let mut findings = Findings::default();
        findings.found(Fact::NullStatus, Answer::No);
        let document = FactsDocument::new(&findings, NINE, now);
        store.keep(here, &document).unwrap();
        store.keep(here, &document).unwrap();
        let kept = store.load(here, NINE, now).unwrap();
        assert_eq!(kept.answer(Fact::NullStatus), Answer::No);
        assert_eq!(store.load(elsewhere, NINE, now), None);
        for text in ["", "{}", "[]", "{\"format\":1}"] {
            std::fs::write(store.path(here), text).unwrap();
            assert_eq!(store.load(here, NINE, now), None, "{text}");
        }
    }
}
