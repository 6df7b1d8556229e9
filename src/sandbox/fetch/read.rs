//! From text to a checked query.

use jiff::Timestamp;
use roxmltree::{Document, Node};

use super::condition::{Condition, ConditionValues, Group};
use super::errors;
use super::model::{By, Fetch, FetchScope, Function, Order, Output, Part, Role};
use super::scopes::{Scopes, attribute};
use crate::errors::ApiError;
use crate::odata::Asker;
use crate::switches::{Switch, Switches};
use crate::tables::{Kind, TableColumn};
use crate::version::Version;

/// The deepest nesting of filters. The platform's limit is not documented; this one bounds the recursion.
const MAX_DEPTH: usize = 50;
/// The most conditions (Microsoft: "Filter rows using `FetchXml`").
const MAX_CONDITIONS: usize = 500;

/// The context of a query: operators such as `eq-userid` and `today` are resolved when it is read.
pub(crate) struct Known<'a> {
    pub(crate) version: Version,
    pub(crate) asker: &'a Asker,
    pub(crate) now: Timestamp,
    /// What happens to filters below `entity` beyond the first.
    pub(crate) root_filters: RootFilters,
}

/// What happens to filters below `entity` beyond the first: the reference allows one or none (Microsoft: "`FetchXML`
/// reference", `entity`), and the behaviour of the server with more is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RootFilters {
    /// All have to hold.
    #[default]
    All,
    /// They are ignored.
    First,
    /// They are refused.
    One,
}

impl RootFilters {
    pub(crate) const fn of(switches: Switches) -> Self {
        if switches.on(Switch::RefuseSecondRootFilter) {
            Self::One
        } else if switches.on(Switch::FirstRootFilterOnly) {
            Self::First
        } else {
            Self::All
        }
    }
}

/// Reads a query on the rows of a table.
pub(crate) fn read(xml: &str, kind: Kind, known: &Known<'_>) -> Result<Fetch, ApiError> {
    let document = Document::parse(xml).map_err(|_| errors::invalid_xml())?;
    let root = document.root_element();
    if !root.has_tag_name("fetch") {
        return Err(errors::child(root.tag_name().name(), "fetch"));
    }
    let mut entities = root.children().filter(Node::is_element);
    let entity = entities.next().filter(|it| it.has_tag_name("entity"));
    let entity = entity.ok_or_else(|| errors::child("fetch", "entity"))?;
    let scopes = Scopes::read(entity, known.version)?;
    let found = scopes.all[0].0.table.kind;
    if found != kind {
        let set = crate::tables::table(kind, known.version);
        let set = crate::odata::Table::entity_set(set);
        return Err(errors::other_table(set, found.logical_name()));
    }
    let mut reading = Reading {
        scopes: &scopes,
        known,
        aggregate: flag(root, "aggregate"),
        conditions: 0,
        outputs: Vec::new(),
    };
    reading.outputs()?;
    let mut filters = reading.filters()?;
    let orders = reading.orders()?;
    let filter = filters.remove(0);
    let with_filter = |((scope, _), filter): (&(FetchScope, Node<'_, '_>), Group)| FetchScope {
        filter,
        ..scope.clone()
    };
    let own = std::iter::once(scopes.all[0].0.clone());
    let links = scopes.all[1..].iter().zip(filters).map(with_filter);
    Ok(Fetch {
        aggregate: reading.aggregate,
        distinct: flag(root, "distinct"),
        top: number(root, "top")?,
        count: number(root, "count")?.filter(|it| *it > 0),
        number: number(root, "page")?.unwrap_or(1).max(1),
        limit: number(root, "aggregatelimit")?,
        outputs: reading.outputs,
        scopes: own.chain(links).collect(),
        filter,
        orders,
    })
}

fn flag(node: Node<'_, '_>, name: &str) -> bool {
    node.attribute(name)
        .is_some_and(|it| matches!(it.trim(), "1") || it.trim().eq_ignore_ascii_case("true"))
}

fn number(node: Node<'_, '_>, name: &str) -> Result<Option<usize>, ApiError> {
    let Some(text) = node.attribute(name) else {
        return Ok(None);
    };
    let number: Option<u32> = text.trim().parse().ok();
    let number = number.and_then(|it| usize::try_from(it).ok());
    number
        .map(Some)
        .ok_or_else(|| errors::invalid(format!("The value '{text}' of '{name}' is not a number.")))
}

struct Reading<'s, 'a, 'i> {
    scopes: &'s Scopes<'a, 'i>,
    known: &'s Known<'s>,
    aggregate: bool,
    conditions: usize,
    outputs: Vec<Output>,
}

impl<'a, 'i> Reading<'_, 'a, 'i> {
    /// The columns of the result. Also checks every child of the tables.
    fn outputs(&mut self) -> Result<(), ApiError> {
        for (place, (scope, node)) in self.scopes.all.iter().enumerate() {
            let mut any = false;
            for child in node.children().filter(Node::is_element) {
                match child.tag_name().name() {
                    "attribute" => {
                        any = true;
                        let output = self.output(place, scope, child)?;
                        self.outputs.push(output);
                    }
                    "all-attributes" if !self.aggregate => {
                        any = true;
                        self.every(place, scope);
                    }
                    "all-attributes" | "no-attrs" | "filter" | "order" | "link-entity" => {}
                    other => {
                        let valid =
                            "filter, order, link-entity, attribute, all-attributes, no-attrs";
                        return Err(errors::child(other, valid));
                    }
                }
            }
            // Without named columns all are returned, except of a linked table.
            let none = node.children().any(|it| it.has_tag_name("no-attrs"));
            if !any && !none && place == 0 && !self.aggregate {
                self.every(place, scope);
            }
        }
        if self.aggregate && self.outputs.is_empty() {
            return Err(errors::invalid("An aggregate query needs an attribute."));
        }
        Ok(())
    }

    fn every(&mut self, place: usize, scope: &FetchScope) {
        for column in scope.table.present() {
            let name = plain_name(place, scope, column);
            self.outputs.push(Output {
                scope: place,
                column: column.name,
                name,
                role: Role::Plain,
            });
        }
    }

    fn output(
        &self,
        place: usize,
        scope: &FetchScope,
        node: Node<'a, 'i>,
    ) -> Result<Output, ApiError> {
        let given = node.attribute("name").unwrap_or_default();
        let column = self.scopes.column(place, given)?;
        let alias = node.attribute("alias").filter(|it| !it.is_empty());
        let role = role(node)?;
        if self.aggregate == (role == Role::Plain) {
            return Err(errors::invalid(if self.aggregate {
                "Attribute can not be specified if an aggregate operation is requested."
            } else {
                "An aggregate function needs aggregate=\"true\" on the fetch element."
            }));
        }
        if self.aggregate && alias.is_none() {
            return Err(errors::invalid(format!(
                "An alias is required for the aggregate attribute '{given}'."
            )));
        }
        let name = alias.map_or_else(|| plain_name(place, scope, column), str::to_owned);
        Ok(Output {
            scope: place,
            column: column.name,
            name,
            role,
        })
    }

    /// For each table, the group of all its filters.
    fn filters(&mut self) -> Result<Vec<Group>, ApiError> {
        let mut groups = Vec::with_capacity(self.scopes.all.len());
        for (place, (_, node)) in self.scopes.all.iter().enumerate() {
            let filters = node.children().filter(|it| it.has_tag_name("filter"));
            let many = match (self.known.root_filters, place) {
                (RootFilters::One, 0) if filters.clone().count() > 1 => {
                    return Err(errors::invalid(
                        "There is more than one filter below entity.",
                    ));
                }
                (RootFilters::First, 0) => 1,
                _ => usize::MAX,
            };
            let filters = filters.take(many);
            let all: Result<_, _> = filters.map(|it| self.group(place, it, 0)).collect();
            groups.push(Group::All(all?));
        }
        Ok(groups)
    }

    fn group(&mut self, place: usize, node: Node<'a, 'i>, depth: usize) -> Result<Group, ApiError> {
        if depth > MAX_DEPTH {
            return Err(errors::invalid("The filters nest too deep."));
        }
        let mut parts = Vec::new();
        for child in node.children().filter(Node::is_element) {
            parts.push(match child.tag_name().name() {
                "filter" => self.group(place, child, depth + 1)?,
                "condition" => Group::One(self.condition(place, child)?),
                other => return Err(errors::child(other, "filter, condition")),
            });
        }
        match node.attribute("type").unwrap_or("and") {
            "and" => Ok(Group::All(parts)),
            // An empty filter excludes nothing, whatever its type.
            "or" if parts.is_empty() => Ok(Group::All(parts)),
            "or" => Ok(Group::Any(parts)),
            other => Err(errors::invalid(format!(
                "The filter type '{other}' is not valid."
            ))),
        }
    }

    fn condition(&mut self, place: usize, node: Node<'a, 'i>) -> Result<Condition, ApiError> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(ApiError {
                code: "0x8004430C",
                ..errors::invalid("Number of conditions in query exceeded maximum limit.")
            });
        }
        if node.has_attribute("valueof") {
            return Err(errors::invalid(
                "Comparing two columns is not imitated by this sandbox.",
            ));
        }
        let scope = self.scopes.named(node.attribute("entityname"), place)?;
        let name = node.attribute("attribute").unwrap_or_default();
        let column = self.scopes.column(scope, name)?;
        let written = ConditionValues::of(node);
        let (test, negated) = written.test(column.kind, self.known.asker, self.known.now)?;
        Ok(Condition {
            scope,
            column: column.name,
            test,
            negated,
        })
    }

    fn orders(&self) -> Result<Vec<Order>, ApiError> {
        let mut orders = Vec::new();
        for (place, (_, node)) in self.scopes.all.iter().enumerate() {
            for order in node.children().filter(|it| it.has_tag_name("order")) {
                let descending = flag(order, "descending");
                let by = self.by(place, order)?;
                orders.push(Order { by, descending });
            }
        }
        Ok(orders)
    }

    fn by(&self, place: usize, order: Node<'a, 'i>) -> Result<By, ApiError> {
        if let Some(alias) = order.attribute("alias") {
            let found = self.outputs.iter().position(|it| it.name == alias);
            let missing = || errors::invalid(format!("No attribute has the alias '{alias}'."));
            return found.map(By::Output).ok_or_else(missing);
        }
        if self.aggregate {
            return Err(errors::invalid(
                "An attribute can not be specified in an order of an aggregate query. Use an alias.",
            ));
        }
        let scope = self.scopes.named(order.attribute("entityname"), place)?;
        let name = order.attribute("attribute").unwrap_or_default();
        let column = self.scopes.column(scope, name)?.name;
        Ok(By::Column { scope, column })
    }
}

/// `_ownerid_value` of the table itself, `alias.ownerid` of a linked one.
fn plain_name(place: usize, scope: &FetchScope, column: &TableColumn) -> String {
    if place == 0 {
        column.name.to_owned()
    } else {
        format!("{}.{}", scope.alias, attribute(column.name))
    }
}

fn role(node: Node<'_, '_>) -> Result<Role, ApiError> {
    if flag(node, "groupby") {
        let part = match node.attribute("dategrouping") {
            None => None,
            Some("day") => Some(Part::Day),
            Some("week") => Some(Part::Week),
            Some("month") => Some(Part::Month),
            Some("quarter") => Some(Part::Quarter),
            Some("year") => Some(Part::Year),
            Some(other) => {
                return Err(errors::invalid(format!(
                    "The date grouping '{other}' is not imitated by this sandbox."
                )));
            }
        };
        return Ok(Role::Group(part));
    }
    let distinct = flag(node, "distinct");
    Ok(match node.attribute("aggregate") {
        None => Role::Plain,
        Some("count") => Role::Aggregate(Function::Count),
        Some("countcolumn") => Role::Aggregate(Function::CountColumn { distinct }),
        Some("sum") => Role::Aggregate(Function::Sum),
        Some("avg") => Role::Aggregate(Function::Average),
        Some("min") => Role::Aggregate(Function::Least),
        Some("max") => Role::Aggregate(Function::Greatest),
        Some(other) => {
            return Err(errors::invalid(format!(
                "The aggregate function '{other}' is not valid."
            )));
        }
    })
}
