use super::*;

#[test]
fn the_recipe_reads_and_reads_back() {
    let vars = |name: &str| matches!(name, "CACHE" | "RUN_DIR").then(|| format!("/{name}"));
    let (job, findings) = Job::from_recipe("r1-mini", &vars).unwrap();
    assert_eq!(findings, []);
    let (again, findings) = Job::read(&job.to_toml(), "job.toml", &|_| None).unwrap();
    assert_eq!(findings, []);
    assert_eq!(again, job);
}
