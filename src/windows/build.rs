//! The version, icon and manifest of the program on Windows. Other systems get nothing from here.

fn main() {
    println!("cargo::rerun-if-changed=src/windows");
    if std::env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return;
    }
    let compiled = winresource::WindowsResource::new()
        .set_icon("src/windows/syncfilters.ico")
        .set_manifest_file("src/windows/syncfilters.manifest")
        .compile_for("syncfilters");
    // Type-checking needs no resource compiler; `.ci/release` sees that its programs have the manifest.
    if let Err(error) = compiled {
        println!("cargo::warning=the program gets no version, icon and manifest: {error}");
    }
}
