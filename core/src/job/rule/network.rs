//! Environment, proxies, ports, and faults of engines.

use super::{Case, Law, law::Scope};

/// Ports that Ray's workers listen on when nobody says otherwise.
const WORKERS: std::ops::RangeInclusive<u64> = 10_002..=19_999;
/// Ports of Ray itself: its store, its dashboard, its clients, its agents.
const RAY: [u64; 4] = [6379, 8265, 10_001, 52_365];
/// Arguments that fix a port.
const PORTS: &[&str] = &["sglang-router-port", "sglang-router-prometheus-port", "sglang-metrics-http-port"];

const TP: &str = "tensor-model-parallel-size";
const CP: &str = "context-parallel-size";
const STREAMS: &str = "CUDA_DEVICE_MAX_CONNECTIONS";

/// A variable of the job, by either spelling.
fn variable<'a>(case: &Case<'a>, name: &str) -> Option<(&'a str, &'a str)> {
    let env = &case.job.env;
    let entry = env.get_key_value(name).or_else(|| env.get_key_value(name.to_ascii_uppercase().as_str()));
    entry.map(|(name, text)| (name.as_str(), text.as_str())).filter(|(_, text)| !text.trim().is_empty())
}

/// Whether one entry of `no_proxy` is about a host: its name, its domain, its network, or everything.
fn spares(entry: &str, host: &str) -> bool {
    let domain = entry.trim_start_matches('*').trim_start_matches('.');
    if entry == "*" || (!domain.is_empty() && (host == domain || host.ends_with(&format!(".{domain}")))) {
        return true;
    }
    let address = |text: &str| text.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
    let network = || {
        let (base, bits) = entry.split_once('/')?;
        let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        Some(address(base)? & mask == address(host)? & mask)
    };
    network().unwrap_or(false)
}

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Megatron,
        "network.connections",
        "CUDA_DEVICE_MAX_CONNECTIONS is 1 where matrices or sequences are shared by GPUs",
        &["env.CUDA_DEVICE_MAX_CONNECTIONS", TP, CP],
        |case| {
            let sizes = case.sizes;
            // From Blackwell on it does not matter.
            let older = case.facts.compute_capability.is_none_or(|major| major < 10);
            let found = case.job.env.get(STREAMS).map(String::as_str);
            (older && (sizes.tp > 1 || sizes.cp > 1) && found != Some("1")).then(|| {
                let found = found.map_or_else(|| "not set".to_owned(), |found| format!("{found:?}"));
                format!(
                    "{STREAMS} is {found}, but Megatron needs it to be 1 with TP {} and CP {} on these GPUs: write \
                     {STREAMS} = \"1\" below [env]",
                    sizes.tp, sizes.cp
                )
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "network.proxy",
        "a proxy is not asked for the hosts of the job",
        &["env.no_proxy", "env.NO_PROXY", "env.http_proxy", "env.HTTP_PROXY", "cluster.hosts"],
        |case| {
            let (proxy, _) = ["http_proxy", "https_proxy", "all_proxy"].iter().find_map(|name| variable(case, name))?;
            let spared = variable(case, "no_proxy").map_or("", |(_, text)| text);
            let entries: Vec<_> = spared.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
            let local = ["127.0.0.1", "localhost"];
            let hosts = local.into_iter().chain(case.hosts().iter().map(String::as_str));
            let asked: Vec<_> = hosts.filter(|host| !entries.iter().any(|entry| spares(entry, host))).collect();
            let (first, rest) = asked.split_first()?;
            let others = if rest.is_empty() { String::new() } else { format!(" and {} more hosts", rest.len()) };
            Some(format!(
                "{proxy} is set and no_proxy does not name {first}{others}: questions to the engines would go to the proxy \
                 and none would become ready; add all hosts to no_proxy below [env]"
            ))
        },
    ),
    Law::error(Scope::Slime, "network.ray-port", "a port that is fixed is none of Ray's own", PORTS, |case| {
        let (name, port) =
            PORTS.iter().find_map(|name| Some((name, case.whole(name).filter(|port| RAY.contains(port))?)))?;
        Some(format!("{name} is {port}, which Ray itself listens on: write another, like 3000"))
    }),
    Law::warning(
        Scope::Slime,
        "network.worker-port",
        "a port that is fixed is outside of the range of Ray's workers",
        PORTS,
        |case| {
            let (name, port) =
                PORTS.iter().find_map(|name| Some((name, case.whole(name).filter(|port| WORKERS.contains(port))?)))?;
            Some(format!(
                "{name} is {port}, but Ray's workers take any port from {} to {}: write another, like 3000",
                WORKERS.start(),
                WORKERS.end()
            ))
        },
    ),
];

/// Engines that do not answer.
pub(super) const FAULTS: &[Law] = &[Law::warning(
    Scope::Sglang,
    "faults.first-wait",
    "an engine has time to compile before it is asked whether it lives",
    &["rollout-health-check-first-wait", "use-fault-tolerance"],
    |case| {
        let wait = case.job.number("rollout-health-check-first-wait").unwrap_or(0.0);
        (case.flag("use-fault-tolerance") && wait < 300.0).then(|| {
            format!(
                "rollout-health-check-first-wait is {wait} seconds: an engine that still compiles its kernels would be \
                 killed; write 300 below [sglang]"
            )
        })
    },
)];
