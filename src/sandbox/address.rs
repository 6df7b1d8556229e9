//! Paths below the service root.

use uuid::Uuid;

use super::errors::ApiError;
use super::tables::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKey {
    Id(Uuid),
    /// A user by the alternate key `azureactivedirectoryobjectid`.
    ObjectId(Uuid),
}

/// The target of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AddressTarget {
    /// The service document.
    Service,
    Metadata,
    Batch,
    WhoAmI,
    RetrieveVersion,
    RetrieveCurrentOrganization,
    /// The actions `PublishXml` and `ResetUserFilters`.
    PublishXml,
    ResetUserFilters,
    /// The action `InstantiateFilters`, bound to a user.
    InstantiateFilters(RowKey),
    /// The function `RetrieveUserPrivilegeByPrivilegeName`, bound to a user, and the privilege.
    UserPrivilege(RowKey, String),
    /// The function `RetrieveUserPrivileges`, bound to a user.
    UserPrivileges(RowKey),
    /// `EntityDefinitions`.
    Definitions,
    /// `EntityDefinitions(LogicalName='…')`.
    Definition(Kind),
    /// `EntityDefinitions(LogicalName='…')/Attributes`.
    Attributes(Kind),
    Set(Kind),
    Count(Kind),
    Row(Kind, RowKey),
    Related(Kind, RowKey, String),
}

impl AddressTarget {
    /// Reads a path relative to the service root, percent-encoded or not.
    pub(super) fn parse(path: &str) -> Result<Self, ApiError> {
        let path = decode(path)?;
        let trimmed = path.trim_matches('/');
        if trimmed.is_empty() {
            return Ok(Self::Service);
        }
        let (first, rest) = match trimmed.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (trimmed, None),
        };
        if let Some(found) = Self::operation(first, rest)? {
            return Ok(found);
        }
        let (set, key) = match first.split_once('(') {
            Some((set, key)) => (set, key.strip_suffix(')')),
            None => (first, None),
        };
        let kind = Kind::of_set(set).ok_or_else(|| ApiError::no_resource(set))?;
        match (first.contains('('), key, rest) {
            (false, _, None) => Ok(Self::Set(kind)),
            (false, _, Some("$count")) => Ok(Self::Count(kind)),
            (true, Some(key), None) => Ok(Self::Row(kind, row_key(kind, key)?)),
            (true, Some(key), Some(rest)) => related(kind, row_key(kind, key)?, rest),
            (_, _, rest) => Err(ApiError::no_resource(rest.unwrap_or(first))),
        }
    }

    fn operation(first: &str, rest: Option<&str>) -> Result<Option<Self>, ApiError> {
        let name = first.split('(').next().unwrap_or(first);
        let found = match name {
            "$metadata" => Self::Metadata,
            "$batch" => Self::Batch,
            "WhoAmI" => Self::WhoAmI,
            "RetrieveVersion" => Self::RetrieveVersion,
            "RetrieveCurrentOrganization" => Self::RetrieveCurrentOrganization,
            "PublishXml" => Self::PublishXml,
            "ResetUserFilters" => Self::ResetUserFilters,
            "EntityDefinitions" => return definition(first, rest).map(Some),
            _ => return Ok(None),
        };
        match rest {
            None => Ok(Some(found)),
            Some(rest) => Err(ApiError::no_resource(rest)),
        }
    }
}

fn definition(first: &str, rest: Option<&str>) -> Result<AddressTarget, ApiError> {
    if (first, rest) == ("EntityDefinitions", None) {
        return Ok(AddressTarget::Definitions);
    }
    let name = first
        .strip_prefix("EntityDefinitions(LogicalName='")
        .and_then(|it| it.strip_suffix("')"))
        .ok_or_else(|| ApiError::no_resource(first))?;
    let kind = Kind::of_name(name).ok_or_else(|| ApiError::no_resource(name))?;
    match rest {
        None => Ok(AddressTarget::Definition(kind)),
        Some("Attributes") => Ok(AddressTarget::Attributes(kind)),
        Some(rest) => Err(ApiError::no_resource(rest)),
    }
}

fn related(kind: Kind, key: RowKey, rest: &str) -> Result<AddressTarget, ApiError> {
    let property = rest.strip_suffix("/$ref").unwrap_or(rest);
    if kind == Kind::Users && property == "Microsoft.Dynamics.CRM.InstantiateFilters" {
        return Ok(AddressTarget::InstantiateFilters(key));
    }
    if kind == Kind::Users && property == "Microsoft.Dynamics.CRM.RetrieveUserPrivileges()" {
        return Ok(AddressTarget::UserPrivileges(key));
    }
    let privilege = property
        .strip_prefix("Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='")
        .and_then(|it| it.strip_suffix("')"));
    if let (Kind::Users, Some(name)) = (kind, privilege) {
        return Ok(AddressTarget::UserPrivilege(key, name.to_owned()));
    }
    let known = kind.navigations().iter().any(|it| it.0 == property);
    if known {
        Ok(AddressTarget::Related(kind, key, property.to_owned()))
    } else {
        Err(ApiError::no_resource(property))
    }
}

/// `guid`, `systemuserid=guid`, or the alternate key of a user.
fn row_key(kind: Kind, text: &str) -> Result<RowKey, ApiError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (Some(name.trim()), value.trim()),
        None => (None, text.trim()),
    };
    let id = Uuid::try_parse(value)
        .ok()
        .filter(|_| value.len() == 36)
        .ok_or_else(|| {
            ApiError::bad_request(format!(
                "Error in query syntax: '{text}' is not a key of {}.",
                kind.logical_name()
            ))
        })?;
    match name {
        None => Ok(RowKey::Id(id)),
        Some(name) if name == kind.key() => Ok(RowKey::Id(id)),
        Some("azureactivedirectoryobjectid") if kind == Kind::Users => Ok(RowKey::ObjectId(id)),
        Some(_) => Err(ApiError::bad_request(
            "The key specified in the URI is not a valid key of the entity.",
        )),
    }
}

/// Percent-decoding of a path.
pub(super) fn decode(text: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits =
            [rest.next(), rest.next()].map(|it| it.and_then(|it| (it as char).to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return Err(ApiError::bad_request(format!(
                "The path '{text}' is not valid."
            )));
        };
        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
    }
    String::from_utf8(bytes)
        .map_err(|_| ApiError::bad_request(format!("The path '{text}' is not valid.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-0000-0000-00000000000a";

    #[test]
    fn sets_rows_and_relationships_are_found() {
        let id = Uuid::from_u128(10);
        for (path, target) in [
            ("", AddressTarget::Service),
            ("WhoAmI", AddressTarget::WhoAmI),
            ("WhoAmI()", AddressTarget::WhoAmI),
            ("%24batch", AddressTarget::Batch),
            ("systemusers", AddressTarget::Set(Kind::Users)),
            ("/systemusers/", AddressTarget::Set(Kind::Users)),
            ("userqueries/$count", AddressTarget::Count(Kind::Filters)),
            (
                &format!("userqueries({ID})"),
                AddressTarget::Row(Kind::Filters, RowKey::Id(id)),
            ),
            (
                &format!("systemusers(systemuserid={ID})"),
                AddressTarget::Row(Kind::Users, RowKey::Id(id)),
            ),
            (
                &format!("systemusers(azureactivedirectoryobjectid={ID})"),
                AddressTarget::Row(Kind::Users, RowKey::ObjectId(id)),
            ),
            (
                &format!("systemusers%28{ID}%29/systemuserroles_association"),
                AddressTarget::Related(
                    Kind::Users,
                    RowKey::Id(id),
                    "systemuserroles_association".to_owned(),
                ),
            ),
            (
                "EntityDefinitions(LogicalName='userquery')",
                AddressTarget::Definition(Kind::Filters),
            ),
        ] {
            assert_eq!(AddressTarget::parse(path), Ok(target), "{path}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_named() {
        let message = |path: &str| AddressTarget::parse(path).unwrap_err().message;
        assert_eq!(
            message("accounts"),
            "Resource not found for the segment 'accounts'."
        );
        assert!(message(&format!("systemusers({ID})/nonsense")).contains("'nonsense'"));
        for (path, status) in [
            ("systemusers(anna)", 400),
            ("systemusers(", 404),
            ("%zz", 400),
            ("SystemUsers", 404),
            ("EntityDefinitions(LogicalName='account')", 404),
        ] {
            assert_eq!(
                AddressTarget::parse(path).unwrap_err().status,
                status,
                "{path}"
            );
        }
    }
}
