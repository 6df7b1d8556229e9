//! Which runs undo each other: a run, its undos, the undos of those, and so on.

use std::collections::HashMap;

use crate::model::RunId;

use super::RunHeader;

/// The effect of a run on a row, compared with another run of the same chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It left the row as that run did.
    Repeats,
    /// It restored the row as it was before that run.
    Reverses,
}

/// Maps each undo to the run that it undoes.
#[derive(Debug, Default)]
pub(super) struct UndoChain(HashMap<RunId, RunId>);

impl UndoChain {
    /// Adds a run, if it is an undo.
    pub(super) fn add(&mut self, run: &RunHeader) {
        if let Some(undoes) = &run.undoes {
            self.0.insert(run.id.clone(), undoes.clone());
        }
    }

    /// How a run relates to another; none where they are not of one chain, according to the known files.
    pub(super) fn relation(&self, run: &RunId, to: &RunId) -> Option<Relation> {
        let (first, depth) = self.origin(run)?;
        let (other, other_depth) = self.origin(to)?;
        if first != other {
            return None;
        }
        Some(if depth % 2 == other_depth % 2 {
            Relation::Repeats
        } else {
            Relation::Reverses
        })
    }

    /// The run that an undo of an undo makes again; none for other runs.
    pub(super) fn repeated<'a>(&'a self, run: &'a RunId) -> Option<&'a RunId> {
        let (first, depth) = self.origin(run)?;
        (depth > 0 && depth % 2 == 0).then_some(first)
    }

    /// The first run of a chain, and the number of undos from there to this run. None where the files contain
    /// a circle of undos.
    fn origin<'a>(&'a self, run: &'a RunId) -> Option<(&'a RunId, usize)> {
        let (mut at, mut depth) = (run, 0);
        while let Some(undoes) = self.0.get(at) {
            (at, depth) = (undoes, depth + 1);
            if depth > self.0.len() {
                return None;
            }
        }
        Some((at, depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> RunId {
        format!("{n:012x}").parse().unwrap()
    }

    fn chain(links: &[(u8, u8)]) -> UndoChain {
        UndoChain(links.iter().map(|(run, of)| (id(*run), id(*of))).collect())
    }

    #[test]
    fn an_undo_reverses_and_the_undo_of_an_undo_repeats() {
        let chain = chain(&[(2, 1), (3, 2), (4, 1), (9, 8)]);
        let relation = |run, to| chain.relation(&id(run), &id(to));
        assert_eq!(relation(2, 1), Some(Relation::Reverses));
        assert_eq!(relation(3, 1), Some(Relation::Repeats));
        assert_eq!(relation(4, 1), Some(Relation::Reverses));
        assert_eq!(relation(4, 2), Some(Relation::Repeats));
        assert_eq!(relation(4, 3), Some(Relation::Reverses));
        assert_eq!(relation(9, 1), None);
        assert_eq!(relation(7, 1), None);
    }

    #[test]
    fn runs_that_undo_each_other_in_a_circle_are_no_chain() {
        let chain = chain(&[(1, 2), (2, 1), (3, 3)]);
        assert_eq!(chain.relation(&id(1), &id(2)), None);
        assert_eq!(chain.relation(&id(3), &id(3)), None);
    }
}
