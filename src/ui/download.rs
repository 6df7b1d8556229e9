//! A run as a file: written beside the page first, so that a run of any size is handed over in pieces.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::report::{ErrorReport, Format, ReportError, Style, terminal, write_run};

use super::form::Fields;
use super::live::usage;
use super::run_files::run_id;
use super::screens::ErrorScreen;
use super::site::{SharedSite, Site};

/// Bytes that are in memory at a time.
const PIECE: usize = 64 * 1024;

/// A format in which a run can be handed over.
#[derive(Debug)]
pub(super) struct FileKind {
    format: Format,
    /// How the name of the file ends, and what the address says.
    pub(super) end: &'static str,
    media_type: &'static str,
    /// What it is called on the page.
    pub(super) words: &'static str,
}

/// The formats in which a run can be handed over.
pub(super) static FILES: [FileKind; 5] = [
    FileKind {
        format: Format::Html,
        end: "html",
        media_type: "text/html; charset=utf-8",
        words: "Page for handing over",
    },
    FileKind {
        format: Format::Xlsx,
        end: "xlsx",
        media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        words: "Excel workbook",
    },
    FileKind {
        format: Format::Csv,
        end: "csv",
        media_type: "text/csv; charset=utf-8",
        words: "CSV",
    },
    FileKind {
        format: Format::Json,
        end: "json",
        media_type: "application/json",
        words: "JSON",
    },
    FileKind {
        format: Format::Markdown,
        end: "md",
        media_type: "text/markdown; charset=utf-8",
        words: "Markdown",
    },
];

fn file_kind(end: &str) -> Result<&'static FileKind, ErrorReport> {
    let found = FILES.iter().find(|kind| kind.end == end);
    found.ok_or_else(|| usage("there is no file of this format"))
}

pub(super) async fn report(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Fields::of_query(query.as_deref());
    let written = {
        let site = Arc::clone(&site);
        tokio::task::spawn_blocking(move || {
            let kind = file_kind(query.text("format"))?;
            Ok::<_, ErrorReport>((kind, written(&site, &id, kind.format)?, id))
        })
    };
    match written.await {
        Ok(Ok((kind, file, id))) => handed_over(kind, file, &id),
        Ok(Err(problem)) => ErrorScreen::new(&site, problem).into_response(),
        Err(_) => ErrorScreen::new(&site, usage("the file could not be made")).into_response(),
    }
}

fn written(site: &Site, id: &str, format: Format) -> Result<File, ErrorReport> {
    let of_report = |error: ReportError| ErrorReport::from(&error);
    let run = site.read(&run_id(id)?)?;
    let mut file = tempfile::tempfile().map_err(|error| of_report(ReportError::from(error)))?;
    let copy = file
        .try_clone()
        .map_err(|error| of_report(ReportError::from(error)))?;
    let mut out = terminal::bytes(std::io::BufWriter::new(copy));
    // Nobody's screen is meant.
    write_run(&mut *out, &run, format, Style { width: 80 }).map_err(of_report)?;
    out.flush()
        .map_err(|error| of_report(ReportError::from(error)))?;
    drop(out);
    file.seek(SeekFrom::Start(0))
        .map_err(|error| of_report(ReportError::from(error)))?;
    Ok(file)
}

fn handed_over(kind: &FileKind, file: File, id: &str) -> Response {
    let pieces = stream::unfold(file, |mut file| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece).map(|length| {
                piece.truncate(length);
                piece
            });
            (read, file)
        });
        match read.await {
            Ok((Ok(piece), _)) if piece.is_empty() => None,
            Ok((read, file)) => Some((read.map(Bytes::from), file)),
            Err(error) => {
                let failed = std::io::Error::other(error);
                Some((Err(failed), tempfile::tempfile().ok()?))
            }
        }
    });
    let mut response = Body::from_stream(pieces).into_response();
    let short = id.get(..6).unwrap_or(id);
    let name = format!("attachment; filename=\"syncfilters-{short}.{}\"", kind.end);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.media_type));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}
