//! `$metadata`: a CSDL document, made from the same column lists as the rows.

use std::fmt::Write;

use http::StatusCode;

use super::message::Reply;
use super::odata::{ColumnType, Table};
use super::tables::{Kind, TableOf, table};
use super::version::Version;

pub(super) fn metadata(version: Version) -> Reply {
    Reply::new(StatusCode::OK).typed("application/xml", document(version))
}

fn document(version: Version) -> String {
    let mut xml = String::from(
        r#"<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices><Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityType Name="crmbaseentity" Abstract="true" />"#,
    );
    // A base type comes before the types derived from it.
    entity(&mut xml, *table(Kind::Principals, version));
    for kind in Kind::ALL {
        if kind != Kind::Principals {
            entity(&mut xml, *table(kind, version));
        }
    }
    operations(&mut xml, version);
    container(&mut xml, version);
    xml.push_str("</Schema></edmx:DataServices></edmx:Edmx>");
    xml
}

/// Types that derive from `principal` inherit its key.
fn derives_from_principal(kind: Kind) -> bool {
    matches!(kind, Kind::Users | Kind::Teams)
}

fn entity(xml: &mut String, table: TableOf) {
    let derived = derives_from_principal(table.kind);
    let base = if derived {
        "principal"
    } else {
        "crmbaseentity"
    };
    let _ = write!(
        xml,
        r#"<EntityType Name="{}" BaseType="mscrm.{base}""#,
        table.logical_name()
    );
    if table.kind == Kind::Principals {
        xml.push_str(r#" Abstract="true""#);
    }
    xml.push('>');
    if !derived {
        let _ = write!(xml, r#"<Key><PropertyRef Name="{}" /></Key>"#, table.key());
    }
    for column in table.present() {
        if derived && matches!(column.name, "ownerid" | "versionnumber") {
            continue;
        }
        let edm = match column.kind {
            ColumnType::Int if column.name == "versionnumber" => "Edm.Int64",
            other => other.edm_name(),
        };
        let nullable = if column.name == table.key() {
            r#" Nullable="false""#
        } else {
            ""
        };
        let _ = write!(
            xml,
            r#"<Property Name="{}" Type="{edm}"{nullable} />"#,
            column.name
        );
    }
    for (name, end, many) in table.kind.navigations() {
        let end = end.logical_name();
        let target = if *many {
            format!("Collection(mscrm.{end})")
        } else {
            format!("mscrm.{end}")
        };
        let _ = write!(
            xml,
            r#"<NavigationProperty Name="{name}" Type="{target}" />"#
        );
    }
    xml.push_str("</EntityType>");
}

fn operations(xml: &mut String, version: Version) {
    xml.push_str(concat!(
        r#"<ComplexType Name="WhoAmIResponse"><Property Name="BusinessUnitId" Type="Edm.Guid" /><Property Name="UserId" Type="Edm.Guid" /><Property Name="OrganizationId" Type="Edm.Guid" /></ComplexType>"#,
        r#"<ComplexType Name="RetrieveVersionResponse"><Property Name="Version" Type="Edm.String" /></ComplexType>"#,
        r#"<EnumType Name="EndpointAccessType"><Member Name="Default" Value="0" /><Member Name="Internet" Value="1" /><Member Name="Intranet" Value="2" /></EnumType>"#,
        r#"<ComplexType Name="OrganizationDetail"><Property Name="OrganizationId" Type="Edm.Guid" /><Property Name="FriendlyName" Type="Edm.String" /><Property Name="OrganizationVersion" Type="Edm.String" /><Property Name="UrlName" Type="Edm.String" /><Property Name="UniqueName" Type="Edm.String" />"#,
    ));
    if !version.is_8() {
        xml.push_str(r#"<Property Name="EnvironmentId" Type="Edm.String" /><Property Name="Geo" Type="Edm.String" /><Property Name="TenantId" Type="Edm.String" />"#);
    }
    xml.push_str(concat!(
        "</ComplexType>",
        r#"<ComplexType Name="RetrieveCurrentOrganizationResponse"><Property Name="Detail" Type="mscrm.OrganizationDetail" /></ComplexType>"#,
        r#"<Function Name="WhoAmI"><ReturnType Type="mscrm.WhoAmIResponse" Nullable="false" /></Function>"#,
        r#"<Function Name="RetrieveVersion"><ReturnType Type="mscrm.RetrieveVersionResponse" Nullable="false" /></Function>"#,
        r#"<Function Name="RetrieveCurrentOrganization"><Parameter Name="AccessType" Type="mscrm.EndpointAccessType" Nullable="false" /><ReturnType Type="mscrm.RetrieveCurrentOrganizationResponse" Nullable="false" /></Function>"#,
        r#"<Action Name="InstantiateFilters" IsBound="true"><Parameter Name="entity" Type="mscrm.systemuser" Nullable="false" /><Parameter Name="TemplateCollection" Type="Collection(mscrm.savedquery)" Nullable="false" /></Action>"#,
        r#"<Action Name="ResetUserFilters"><Parameter Name="QueryType" Type="Edm.Int32" Nullable="false" /></Action>"#,
        r#"<Action Name="PublishXml"><Parameter Name="ParameterXml" Type="Edm.String" Nullable="false" Unicode="false" /></Action>"#,
    ));
    if !version.is_8() {
        xml.push_str(concat!(
            r#"<EnumType Name="PrivilegeDepth"><Member Name="Basic" Value="0" /><Member Name="Local" Value="1" /><Member Name="Deep" Value="2" /><Member Name="Global" Value="3" /></EnumType>"#,
            r#"<ComplexType Name="RolePrivilege"><Property Name="Depth" Type="mscrm.PrivilegeDepth" Nullable="false" /><Property Name="PrivilegeId" Type="Edm.Guid" Nullable="false" /><Property Name="BusinessUnitId" Type="Edm.Guid" Nullable="false" /><Property Name="PrivilegeName" Type="Edm.String" Unicode="false" /></ComplexType>"#,
            r#"<ComplexType Name="RetrieveUserPrivilegeByPrivilegeNameResponse"><Property Name="RolePrivileges" Type="Collection(mscrm.RolePrivilege)" Nullable="false" /></ComplexType>"#,
            r#"<Function Name="RetrieveUserPrivilegeByPrivilegeName" IsBound="true"><Parameter Name="entity" Type="mscrm.systemuser" Nullable="false" /><Parameter Name="PrivilegeName" Type="Edm.String" Nullable="false" Unicode="false" /><ReturnType Type="mscrm.RetrieveUserPrivilegeByPrivilegeNameResponse" Nullable="false" /></Function>"#,
        ));
    }
}

fn container(xml: &mut String, version: Version) {
    xml.push_str(r#"<EntityContainer Name="System">"#);
    for kind in Kind::ALL {
        let table = table(kind, version);
        if kind != Kind::Principals {
            let (set, name) = (table.entity_set(), table.logical_name());
            let _ = write!(
                xml,
                r#"<EntitySet Name="{set}" EntityType="Microsoft.Dynamics.CRM.{name}" />"#
            );
        }
    }
    for name in ["ResetUserFilters", "PublishXml"] {
        let _ = write!(
            xml,
            r#"<ActionImport Name="{name}" Action="Microsoft.Dynamics.CRM.{name}" />"#
        );
    }
    for name in ["WhoAmI", "RetrieveVersion", "RetrieveCurrentOrganization"] {
        let _ = write!(
            xml,
            r#"<FunctionImport Name="{name}" Function="Microsoft.Dynamics.CRM.{name}" />"#
        );
    }
    xml.push_str("</EntityContainer>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_declares_its_own_columns() {
        let has = |version, name: &str| document(version).contains(&format!("Name=\"{name}\""));
        assert!(has(Version::V9_2, "systemmanagedusertype"));
        assert!(!has(Version::V8_2, "systemmanagedusertype"));
        assert!(!has(Version::V8_2, "layoutjson"));
        assert!(has(Version::V8_0, "returnedtypecode"));
    }

    #[test]
    fn elements_are_closed() {
        let xml = document(Version::V9_2);
        for name in [
            "EntityType",
            "EntityContainer",
            "Schema",
            "ComplexType",
            "Function",
        ] {
            let closing = xml.matches(&format!("</{name}>")).count();
            let opening = xml.matches(&format!("<{name} ")).count();
            let alone = usize::from(name == "EntityType");
            assert_eq!(opening, closing + alone, "{name}");
        }
    }
}
