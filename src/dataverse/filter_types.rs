//! The types that sync filters of this organisation can have.

use std::collections::BTreeSet;

use serde::Deserialize;
use uuid::Uuid;

use crate::model::FilterType;

use super::call::Call;
use super::error::Error;
use super::read::read;
use super::reader::Reader;
use super::rows::{ODataPage, PagedRow, with_query};

#[derive(Deserialize)]
struct TableRow {
    #[serde(rename = "LogicalName")]
    logical_name: String,
}

#[derive(Deserialize)]
struct TypeRow {
    /// Included in every row, whatever is selected.
    savedqueryid: Option<Uuid>,
    returnedtypecode: Option<String>,
}

impl PagedRow for TypeRow {
    fn key(&self) -> Option<u128> {
        self.savedqueryid.map(|id| id.as_u128())
    }
}

impl Reader {
    /// The logical names of all tables. Metadata is sent in one answer, without pages (Microsoft: "Query table
    /// definitions using the Web API").
    pub async fn tables(&self) -> Result<BTreeSet<FilterType>, Error> {
        let url = with_query(self.url("EntityDefinitions")?, "$select=LogicalName");
        let page: ODataPage<TableRow> =
            read(&self.channel, &Call::get("listing the tables", url)).await?;
        let names = page
            .value
            .iter()
            .map(|row| FilterType::new(&row.logical_name));
        Ok(names.collect())
    }

    /// The types of the organisation's templates and system filters, and of the sync filters that the caller
    /// may read (first page only).
    pub async fn types_of_filters(&self) -> Result<BTreeSet<FilterType>, Error> {
        const WHAT: &str = "listing the types of filters";
        let outlook_and_offline =
            "$select=returnedtypecode&$filter=querytype%20eq%20256%20or%20querytype%20eq%2016";
        let of_organisation = "$select=returnedtypecode&$filter=querytype%20eq%20131072\
            %20or%20querytype%20eq%208192%20or%20querytype%20eq%20256%20or%20querytype%20eq%2016";
        let mut rows: Vec<TypeRow> = self.rows(WHAT, "savedqueries", of_organisation).await?;
        let url = with_query(self.url("userqueries")?, outlook_and_offline);
        let page: ODataPage<TypeRow> = read(&self.channel, &Call::get(WHAT, url)).await?;
        rows.extend(page.value);
        let types = rows.into_iter().filter_map(|row| row.returnedtypecode);
        Ok(types.map(|name| FilterType::new(&name)).collect())
    }
}
