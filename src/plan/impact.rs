//! What a user loses where filters are switched off: the items that a filter going off selects and that none
//! which stays on selects too, because the filters of one table are a union
//! (Microsoft: "Offline and Outlook filters and templates").

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, Unit};
use uuid::Uuid;

use crate::model::{Filter, FilterKind, FilterType, State};

use super::Change;
use super::fetch::{FetchXml, count_of_any, is_logical_name, selected_by_any};

/// How the rows of a table are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactTable {
    /// `EntitySetName`, such as `appointments`.
    pub set: String,
    /// `PrimaryIdAttribute`, such as `activityid`.
    pub key: String,
    /// The privilege to read its rows, where it is known by name.
    pub privilege: Option<&'static str>,
}

/// One privilege for all activities (Microsoft: the table references of the activities).
pub const READ_ACTIVITY: &str = "prvReadActivity";
/// The privilege for contacts.
pub const READ_CONTACT: &str = "prvReadContact";

impl ImpactTable {
    /// The tables that the platform's own filters are about (Microsoft: table references); others have to be
    /// looked up.
    pub fn known(filter_type: &FilterType) -> Option<Self> {
        let (set, key) = match filter_type.as_str() {
            "appointment" => ("appointments", "activityid"),
            "recurringappointmentmaster" => ("recurringappointmentmasters", "activityid"),
            "serviceappointment" => ("serviceappointments", "activityid"),
            "task" => ("tasks", "activityid"),
            "letter" => ("letters", "activityid"),
            "fax" => ("faxes", "activityid"),
            "phonecall" => ("phonecalls", "activityid"),
            "contact" => ("contacts", "contactid"),
            _ => return None,
        };
        let activity = key == "activityid";
        Some(Self {
            set: set.to_owned(),
            key: key.to_owned(),
            privilege: Some(if activity {
                READ_ACTIVITY
            } else {
                READ_CONTACT
            }),
        })
    }

    /// Whether both names can stand in a request.
    pub fn is_sound(&self) -> bool {
        is_logical_name(&self.set) && is_logical_name(&self.key)
    }
}

/// A filter of the organisation: it applies to every user, and no user can switch it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemFilter {
    /// Its name.
    pub name: String,
    /// The table that it is about.
    pub filter_type: FilterType,
    /// Its `FetchXML`.
    pub query: Option<String>,
}

/// What has to be known of the environment to ask what a user loses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImpactContext {
    /// The active system filters of Outlook; `None` where they could not be read.
    pub system_filters: Option<Vec<SystemFilter>>,
    /// The tables of the filter types, as far as they were looked up; `None` is one that the server does not know.
    pub tables: BTreeMap<FilterType, Option<ImpactTable>>,
    /// The privileges by which the caller reads every row of the organisation; acting as a user, it reads what both
    /// may.
    pub read_whole: BTreeSet<&'static str>,
    /// Since when an item counts as one to come.
    pub now: Timestamp,
}

/// How many items a user loses of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// So many.
    Exactly(u64),
    /// So many or fewer: what stays on, or has passed, could not be set apart.
    AtMost(u64),
    /// So many or more: the query may not have shown all of them.
    AtLeast(u64),
    /// More or fewer: both of these hold.
    About(u64),
    /// It cannot be said.
    Unknown(Unknown),
}

impl Loss {
    /// The number, where there is one.
    pub const fn items(&self) -> Option<u64> {
        match self {
            Self::Exactly(n) | Self::AtMost(n) | Self::AtLeast(n) | Self::About(n) => Some(*n),
            Self::Unknown(_) => None,
        }
    }

    /// What the number is instead of exact.
    pub const fn bound(&self) -> LossBound {
        match self {
            Self::Exactly(_) | Self::Unknown(_) => LossBound::Exact,
            Self::AtMost(_) => LossBound::AtMost,
            Self::AtLeast(_) => LossBound::AtLeast,
            Self::About(_) => LossBound::About,
        }
    }

    /// The same where the query may not have shown every row.
    #[must_use]
    pub fn seen_in_part(self) -> Self {
        match self {
            Self::Exactly(n) => Self::AtLeast(n),
            Self::AtMost(n) => Self::About(n),
            loss => loss,
        }
    }
}

/// What a number of items is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LossBound {
    /// Exact.
    #[default]
    Exact,
    /// The most that it can be.
    AtMost,
    /// The least that it can be.
    AtLeast,
    /// Neither.
    About,
}

impl LossBound {
    /// What stands before a number, with the space after it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::AtMost => "up to ",
            Self::AtLeast => "at least ",
            Self::About => "about ",
        }
    }

    /// As a run file keeps it: 1 at most, 2 at least, 3 neither.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Exact => 0,
            Self::AtMost => 1,
            Self::AtLeast => 2,
            Self::About => 3,
        }
    }

    /// From what a run file keeps.
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Exact,
            1 => Self::AtMost,
            2 => Self::AtLeast,
            _ => Self::About,
        }
    }

    /// Whether the true number can be less.
    pub const fn can_be_less(self) -> bool {
        matches!(self, Self::AtMost | Self::About)
    }

    /// Whether the true number can be more.
    pub const fn can_be_more(self) -> bool {
        matches!(self, Self::AtLeast | Self::About)
    }
}

/// What a sum of such numbers is.
impl FromIterator<Self> for LossBound {
    fn from_iter<T: IntoIterator<Item = Self>>(each: T) -> Self {
        let bits = each.into_iter().fold(0, |all, one| all | one.bits());
        Self::from_bits(bits)
    }
}

/// Why a loss cannot be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// A stable word: `bad-query`, `too-many`, `no-privilege`, `timeout`, `refused`, `not-as-user`, `no-table`.
    pub kind: &'static str,
    /// What was said.
    pub message: String,
}

impl Unknown {
    /// A reason.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// One request to make as the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactQuery {
    /// The entity set to ask.
    pub set: String,
    /// The `FetchXML`.
    pub fetch: String,
    /// Whether keys are asked for, by the name of the column, instead of their number.
    pub ids: Option<String>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryAnswer {
    /// A number.
    Number(u64),
    /// Keys, perhaps repeated.
    Ids(Vec<Uuid>),
    /// Nothing.
    No(Unknown),
}

/// What is to be asked about one type, and how the answers are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactQuestion {
    /// The type.
    pub filter_type: FilterType,
    /// The requests, in order.
    pub queries: Vec<ImpactQuery>,
    pub(super) way: Combination,
    /// Whether something could not be set apart before anything was asked.
    pub(super) bound: bool,
}

/// How the answers to a question are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Combination {
    /// The first answer is the number; one more may be the number without regard to time.
    Count,
    /// The first answer is the number of what goes off, the second of that which stays; one more as above.
    Difference,
    /// Keys: so many queries of what goes off, then those of what stays.
    Apart { off: usize },
    /// Nothing can be asked.
    No(Unknown),
}

/// The questions about one user whose filters are to be switched off, one for each type of the changes.
///
/// The union is counted exactly: by one number where nothing of the type stays on; by the difference of two, of which
/// the second fulfils the conditions of what stays as well, where what stays does not join other tables; and else by
/// the keys themselves, so also where several go off of which one joins. What it leaves open is in [`Loss`].
/// Only Outlook filters count: the offline ones select nothing for Exchange.
pub fn questions(
    filters: &[Filter],
    changes: &[Change],
    around: &ImpactContext,
) -> Vec<ImpactQuestion> {
    let goes_off = |filter: &Filter| {
        let change = changes.iter().find(|change| change.filter == filter.id);
        change.is_some_and(|change| change.to.state == State::Inactive)
    };
    let active =
        |filter: &&Filter| filter.kind == FilterKind::Outlook && filter.now.state == State::Active;
    let (off, stays): (Vec<_>, Vec<_>) = filters
        .iter()
        .filter(active)
        .partition(|filter| goes_off(filter));
    let types: BTreeSet<_> = off.iter().map(|filter| &filter.filter_type).collect();
    let texts = |of: &[&Filter], filter_type: &FilterType| -> Vec<Option<String>> {
        let those = of.iter().filter(|f| f.filter_type == *filter_type);
        those.map(|filter| filter.query.clone()).collect()
    };
    types
        .into_iter()
        .map(|filter_type| {
            let mut staying = texts(&stays, filter_type);
            let system = around.system_filters.iter().flatten();
            let system = system.filter(|filter| filter.filter_type == *filter_type);
            staying.extend(system.map(|filter| filter.query.clone()));
            question(filter_type, &texts(&off, filter_type), &staying, around)
        })
        .collect()
}

fn question(
    filter_type: &FilterType,
    off: &[Option<String>],
    staying: &[Option<String>],
    around: &ImpactContext,
) -> ImpactQuestion {
    let nothing = |kind, why: String| ImpactQuestion {
        filter_type: filter_type.clone(),
        queries: Vec::new(),
        way: Combination::No(Unknown::new(kind, why)),
        bound: false,
    };
    let Some(Some(table)) = around.tables.get(filter_type) else {
        return nothing(
            "no-table",
            format!("the table `{filter_type}` could not be looked up"),
        );
    };
    let off: Result<Vec<_>, _> = off
        .iter()
        .map(|text| parse(text.as_deref(), filter_type))
        .collect();
    let off = match off {
        Ok(off) => off,
        Err(why) => return nothing("bad-query", why),
    };
    // What cannot be relied on to stay synchronised is left out: then at most so much is lost.
    let read: Vec<_> = staying
        .iter()
        .map(|text| parse(text.as_deref(), filter_type))
        .collect();
    let stays: Vec<_> = read
        .into_iter()
        .flatten()
        .filter(|f| !f.is_limited())
        .collect();
    let bound = around.system_filters.is_none()
        || stays.len() < staying.len()
        || off.iter().any(FetchXml::is_limited);
    let (queries, way) = ways(filter_type, table, &off, &stays, around.now);
    ImpactQuestion {
        filter_type: filter_type.clone(),
        queries,
        way,
        bound,
    }
}

fn ways(
    filter_type: &FilterType,
    table: &ImpactTable,
    off: &[FetchXml],
    stays: &[FetchXml],
    now: Timestamp,
) -> (Vec<ImpactQuery>, Combination) {
    let ahead = ahead(filter_type, now);
    let query = |fetch: String, ids: bool| ImpactQuery {
        set: table.set.clone(),
        fetch,
        ids: ids.then(|| table.key.clone()),
    };
    let (off, stays): (Vec<_>, Vec<_>) = (off.iter().collect(), stays.iter().collect());
    let count = |ahead: &str| count_of_any(&off, &table.key, &[ahead]);
    let kept = selected_by_any(&stays);
    let (mut queries, way) = match (count(&ahead.condition), kept) {
        (Some(all), None) if stays.is_empty() => (vec![query(all, false)], Combination::Count),
        (Some(all), Some(kept)) => {
            let kept = count_of_any(&off, &table.key, &[&kept, &ahead.condition]);
            let queries = [Some(all), kept].into_iter().flatten();
            let queries = queries.map(|fetch| query(fetch, false)).collect();
            (queries, Combination::Difference)
        }
        _ => {
            let all = off.iter().chain(&stays);
            let ids = all.map(|fetch| query(fetch.ids(&table.key, &ahead.condition), true));
            return (ids.collect(), Combination::Apart { off: off.len() });
        }
    };
    if ahead.may_be_unknown {
        queries.extend(count("").map(|fetch| query(fetch, false)));
    }
    (queries, way)
}

fn parse(text: Option<&str>, filter_type: &FilterType) -> Result<FetchXml, String> {
    let fetch = FetchXml::parse(text.unwrap_or_default()).map_err(|error| error.to_string())?;
    if fetch.table() == filter_type.as_str() {
        Ok(fetch)
    } else {
        Err(format!("the query is about `{}`", fetch.table()))
    }
}

struct Ahead {
    condition: String,
    /// Whether a server may not know the columns, so that it is asked without them as well.
    may_be_unknown: bool,
}

/// The condition that an item is still to come: only those are deleted from Exchange with a meeting's
/// consequences (Microsoft: "Synchronization logic"). Other types than those of the calendar have no such time.
///
/// An appointment counts until it ends. A series counts until its last occurrence: its `effectiveenddate`, which
/// one without end may not have.
fn ahead(filter_type: &FilterType, now: Timestamp) -> Ahead {
    let now = now.round(Unit::Second).unwrap_or(now);
    let from = |column: &str| {
        format!("<condition attribute=\"{column}\" operator=\"ge\" value=\"{now}\"/>")
    };
    match filter_type.as_str() {
        "appointment" | "serviceappointment" => Ahead {
            condition: format!("<filter type=\"and\">{}</filter>", from("scheduledend")),
            may_be_unknown: false,
        },
        "recurringappointmentmaster" => Ahead {
            condition: format!(
                "<filter type=\"or\">{}{}<condition attribute=\"effectiveenddate\" operator=\"null\"/></filter>",
                from("scheduledend"),
                from("effectiveenddate")
            ),
            may_be_unknown: true,
        },
        _ => Ahead {
            condition: String::new(),
            may_be_unknown: false,
        },
    }
}
