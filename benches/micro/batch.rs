//! The `$batch` of one user: three states to set, three rows back.

use bytes::Bytes;
use divan::Bencher;
use divan::counter::BytesCount;
use http::Method;
use syncfilters::dataverse::batch::{Part, decode, encode};

const BOUNDARY: &str = "batch_0d3a4a52-6f0e-4b53-9a7f-1c5be0c2a001";
const ANSWER_TYPE: &str = "multipart/mixed; boundary=batchresponse_1";
const ROW: &str = r#"{"@odata.context":"https://contoso.crm4.dynamics.com/api/data/v9.2/$metadata#userqueries/$entity","@odata.etag":"W/\"2000123\"","userqueryid":"5b1f0c1e-6f0e-4b53-9a7f-1c5be0c2a001","name":"My Appointments","statecode":1,"statuscode":2,"returnedtypecode":"appointment","querytype":256,"_ownerid_value":"7b1f0c1e-6f0e-4b53-9a7f-1c5be0c2a001","modifiedon":"2026-01-01T00:00:00Z","_modifiedby_value":"7b1f0c1e-6f0e-4b53-9a7f-1c5be0c2a001","_modifiedonbehalfby_value":"af712ca6-8fa1-49a2-aea6-bc4be72891db"}"#;

fn parts() -> Vec<Part> {
    let part = |number: u32| Part {
        method: Method::PATCH,
        target: format!(
            "/api/data/v9.2/userqueries({number:08}-6f0e-4b53-9a7f-1c5be0c2a001)?$select=userqueryid,name,statecode,statuscode"
        ),
        headers: vec![
            ("Content-Type", "application/json".to_owned()),
            ("If-Match", "W/\"2000123\"".to_owned()),
            ("Prefer", "return=representation".to_owned()),
        ],
        body: Bytes::from_static(br#"{"statecode":1,"statuscode":2}"#),
    };
    (1..=3).map(part).collect()
}

fn answer() -> Bytes {
    let part = format!(
        "--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Type: application/json; odata.metadata=minimal\r\nETag: W/\"2000123\"\r\n\
         Preference-Applied: return=representation\r\nOData-Version: 4.0\r\n\r\n{ROW}\r\n"
    );
    Bytes::from(format!("{}--batchresponse_1--\r\n", part.repeat(3)))
}

#[divan::bench]
fn encode_three_patches(bencher: Bencher<'_, '_>) {
    let parts = parts();
    let size = BytesCount::new(encode(BOUNDARY, &parts).len());
    bencher
        .counter(size)
        .bench(|| encode(BOUNDARY, divan::black_box(&parts)));
}

#[divan::bench]
fn decode_three_rows(bencher: Bencher<'_, '_>) {
    let answer = answer();
    bencher
        .counter(BytesCount::new(answer.len()))
        .bench(|| decode(ANSWER_TYPE, divan::black_box(&answer)));
}
