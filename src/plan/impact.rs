//! What a user loses when filters are deactivated: the items that a deactivated filter selects and that no
//! remaining active filter selects, because the filters of one table form a union
//! (Microsoft: "Offline and Outlook filters and templates").

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, Unit};
use uuid::Uuid;

use crate::model::{Filter, FilterKind, FilterType, State};

use super::Change;
use super::fetch::{FetchXml, count_of_any, is_logical_name, selected_by_any};

/// The names that are needed to query a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactTable {
    /// `EntitySetName`, such as `appointments`.
    pub set: String,
    /// `PrimaryIdAttribute`, such as `activityid`.
    pub key: String,
    /// The privilege to read its rows, where its name is known.
    pub privilege: Option<&'static str>,
}

/// The read privilege of all activities (Microsoft: the table references of the activities).
pub const READ_ACTIVITY: &str = "prvReadActivity";
/// The read privilege of contacts (Microsoft: `contact` table reference).
pub const READ_CONTACT: &str = "prvReadContact";

impl ImpactTable {
    /// The tables of the platform's own filters (Microsoft: table references); others have to be
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

    /// Whether both names may be put into a request.
    pub fn is_sound(&self) -> bool {
        is_logical_name(&self.set) && is_logical_name(&self.key)
    }
}

/// A filter of the organisation, which applies to every user and cannot be deactivated by users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemFilter {
    /// Its name.
    pub name: String,
    /// The type of its rows.
    pub filter_type: FilterType,
    /// Its `FetchXML`.
    pub query: Option<String>,
}

/// The facts about the environment that are needed to count what a user loses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImpactContext {
    /// The active Outlook system filters; `None` where they could not be read.
    pub system_filters: Option<Vec<SystemFilter>>,
    /// The tables of the filter types that were looked up; `None` for one that the server does not have.
    pub tables: BTreeMap<FilterType, Option<ImpactTable>>,
    /// The privileges with which the caller reads all rows of the organisation; with impersonation it reads what both
    /// may read.
    pub read_whole: BTreeSet<&'static str>,
    /// The time from which items count as future ones.
    pub now: Timestamp,
}

/// How many items a user loses of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Exactly this number.
    Exactly(u64),
    /// This number or fewer: items that stay, or are past, could not be excluded.
    AtMost(u64),
    /// This number or more: the query may not have returned all of them.
    AtLeast(u64),
    /// This number, more or fewer: both reasons apply.
    About(u64),
    /// Not known, with the reason.
    Unknown(Unknown),
}

impl Loss {
    /// The number, where it is known.
    pub const fn items(&self) -> Option<u64> {
        match self {
            Self::Exactly(n) | Self::AtMost(n) | Self::AtLeast(n) | Self::About(n) => Some(*n),
            Self::Unknown(_) => None,
        }
    }

    /// Whether the number is exact or a bound.
    pub const fn bound(&self) -> LossBound {
        match self {
            Self::Exactly(_) | Self::Unknown(_) => LossBound::Exact,
            Self::AtMost(_) => LossBound::AtMost,
            Self::AtLeast(_) => LossBound::AtLeast,
            Self::About(_) => LossBound::About,
        }
    }

    /// The same where the query may not have returned all rows.
    #[must_use]
    pub fn seen_in_part(self) -> Self {
        match self {
            Self::Exactly(n) => Self::AtLeast(n),
            Self::AtMost(n) => Self::About(n),
            loss => loss,
        }
    }
}

/// Whether a number of items is exact or a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LossBound {
    /// Exact.
    #[default]
    Exact,
    /// The largest possible number.
    AtMost,
    /// The smallest possible number.
    AtLeast,
    /// Neither an upper nor a lower bound.
    About,
}

impl LossBound {
    /// The words before a number, with a space after them.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::AtMost => "up to ",
            Self::AtLeast => "at least ",
            Self::About => "about ",
        }
    }

    /// The code in the run file: 1 at most, 2 at least, 3 neither.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Exact => 0,
            Self::AtMost => 1,
            Self::AtLeast => 2,
            Self::About => 3,
        }
    }

    /// From the code in the run file.
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Exact,
            1 => Self::AtMost,
            2 => Self::AtLeast,
            _ => Self::About,
        }
    }

    /// Whether the true number can be lower.
    pub const fn can_be_less(self) -> bool {
        matches!(self, Self::AtMost | Self::About)
    }

    /// Whether the true number can be higher.
    pub const fn can_be_more(self) -> bool {
        matches!(self, Self::AtLeast | Self::About)
    }
}

/// The bound of a sum of such numbers.
impl FromIterator<Self> for LossBound {
    fn from_iter<T: IntoIterator<Item = Self>>(each: T) -> Self {
        let bits = each.into_iter().fold(0, |all, one| all | one.bits());
        Self::from_bits(bits)
    }
}

/// Why a loss is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// A stable word: `bad-query`, `too-many`, `no-privilege`, `timeout`, `refused`, `not-as-user`, `no-table`.
    pub kind: &'static str,
    /// The reason in words.
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

/// One query to make as the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactQuery {
    /// The entity set.
    pub set: String,
    /// The `FetchXML`.
    pub fetch: String,
    /// The key column where keys are requested; none where their number is.
    pub ids: Option<String>,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryAnswer {
    /// A number.
    Number(u64),
    /// Keys, possibly repeated.
    Ids(Vec<Uuid>),
    /// No answer, with the reason.
    No(Unknown),
}

/// The queries about one type, and how their answers are combined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactQuestion {
    /// The type.
    pub filter_type: FilterType,
    /// The queries, in order.
    pub queries: Vec<ImpactQuery>,
    pub(super) way: Combination,
    /// Whether something could not be excluded, before any query is made.
    pub(super) bound: bool,
}

/// How the answers to a question are combined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Combination {
    /// The first answer is the number; an additional one may be the number without regard to time.
    Count,
    /// The first answer is the number of deactivated items, the second of those that stay; an additional one as above.
    Difference,
    /// Keys: the first `off` queries are for deactivated filters, the others for those that stay.
    Apart { off: usize },
    /// No query is possible.
    No(Unknown),
}

/// The questions about one user whose filters are to be deactivated, one for each type of the changes.
///
/// The union is counted exactly: by one number where no filter of the type stays active; by the difference of two, of
/// which the second also matches the conditions of the filters that stay, where these do not join other tables;
/// otherwise by the keys themselves, also where several are deactivated of which one joins. Remaining uncertainty is in
/// [`Loss`]. Only Outlook filters count, because offline filters select nothing for Exchange.
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
    // Filters that may not stay active are left out: the number is then an upper bound.
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
    /// Whether a server may lack the columns, so that the query is also made without them.
    may_be_unknown: bool,
}

/// The condition that an item is in the future: only those are deleted from Exchange with consequences for
/// a meeting (Microsoft: "Synchronization logic"). Types other than those of the calendar have no such time.
///
/// An appointment counts until it ends. A series counts until its last occurrence: its `effectiveenddate`, which
/// a series without end may not have.
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
