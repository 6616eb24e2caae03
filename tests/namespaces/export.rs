//! The containerlab export, in namespaces that are made by hand: each node is started as the topology
//! file and the Dockerfile say, as a container engine does it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::live::*;

/// The directories of this machine with the libraries of the program. The program of a test is not
/// static.
const LIBRARIES: [&str; 3] = ["lib", "lib64", "usr/lib"];

/// The containers of a lab, made by hand. When this value is dropped, they are removed.
struct Containers {
    prefix: String,
    directory: tempfile::TempDir,
    routers: Vec<Child>,
    nodes: Vec<String>,
}

impl Containers {
    fn namespace(&self, node: &str) -> String {
        format!("{}-{node}", self.prefix)
    }

    /// Runs a command in the namespace of a node.
    fn inside(&self, node: &str, words: &[&str]) -> std::process::Output {
        let namespace = self.namespace(node);
        run(Command::new("ip").args(["netns", "exec", &namespace]).args(words))
    }

    /// Makes the namespace of a node with the sysctls of the file.
    fn add(&mut self, node: &str, sysctls: &[&Value]) {
        expect_success(&run(Command::new("ip").args(["netns", "add", &self.namespace(node)])));
        self.nodes.push(node.to_owned());
        // The loopback of a container is up.
        let up = ["-n", &self.namespace(node), "link", "set", "dev", "lo", "up"];
        expect_success(&run(Command::new("ip").args(up)));
        for (key, value) in sysctls.iter().flat_map(|all| all.as_object()).flatten() {
            let path = format!("/proc/sys/{}", key.replace('.', "/"));
            let script = format!("echo {value} > {path}");
            expect_success(&self.inside(node, &["sh", "-c", &script]));
        }
    }

    /// The root directory of the container of a router.
    fn root(&self, node: &str) -> std::path::PathBuf {
        self.directory.path().join("roots").join(node)
    }

    /// Starts the program of a router in the root directory that its image has.
    fn start(&mut self, export: &Path, node: &str, definition: &Value, image: &Image) {
        let root = self.root(node);
        let place = |inside: &str| root.join(inside.trim_start_matches('/'));
        for directory in LIBRARIES.iter().copied().chain(["proc", "dev", "sys", &image.directory]) {
            fs::create_dir_all(place(directory)).unwrap();
        }
        fs::create_dir_all(place(&image.program).parent().unwrap()).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_eidway"), place(&image.program)).unwrap();
        for bind in definition["binds"].as_array().unwrap() {
            let mut words = bind.as_str().unwrap().split(':');
            let (file, inside) = (words.next().unwrap(), place(words.next().unwrap()));
            fs::create_dir_all(inside.parent().unwrap()).unwrap();
            fs::copy(export.join(file), inside).unwrap();
        }
        let mut script = format!("set -e; cd '{}'; ", root.display());
        for directory in LIBRARIES.iter().chain(&["proc", "dev", "sys"]) {
            script.push_str(&format!(
                "[ ! -e /{directory} ] || mount --rbind /{directory} {directory}; "
            ));
        }
        script.push_str("exec unshare --root . --wd \"$@\"");
        let words = image.entry.iter().map(String::as_str);
        let words = words.chain(definition["cmd"].as_str().unwrap().split(' '));
        let namespace = self.namespace(node);
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &namespace, "unshare", "--mount", "sh", "-c", &script, "sh"]);
        command.arg(&image.directory).args(words).stdin(Stdio::null());
        let log = fs::File::create(self.directory.path().join(format!("{node}.log"))).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.routers.push(command.spawn().unwrap());
    }

    /// Makes a link, with both ends up, as containerlab does.
    fn connect(&self, link: &Value) {
        let end = |number: usize| link["endpoints"][number].as_str().unwrap().split_once(':');
        let ((a, at_a), (b, at_b)) = (end(0).unwrap(), end(1).unwrap());
        let (of_a, of_b) = (self.namespace(a), self.namespace(b));
        let mtu = link["mtu"].to_string();
        let made = run(Command::new("ip")
            .args(["-n", &of_a, "link", "add", "name", at_a, "mtu", &mtu, "type", "veth"])
            .args(["peer", "name", at_b, "mtu", &mtu, "netns", &of_b]));
        expect_success(&made);
        for (namespace, device) in [(&of_a, at_a), (&of_b, at_b)] {
            let up = ["-n", namespace, "link", "set", "dev", device, "up"];
            expect_success(&run(Command::new("ip").args(up)));
        }
    }

    /// The output of a command at the console of a router.
    fn console(&self, node: &str, command: &str) -> String {
        let socket = self.root(node).join("run/eidway/router.sock");
        text(&eidway(&["console", socket.to_str().unwrap(), "-c", command]))
    }

    /// The logs of the routers, for a test that fails.
    fn logs(&self) -> String {
        let files = fs::read_dir(self.directory.path()).unwrap().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|it| it == "log"));
        logs.map(|log| fs::read_to_string(log.path()).unwrap()).collect()
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for router in &mut self.routers {
            // The process has become the router: it is the same process since it was started.
            let _ = router.kill();
            let _ = router.wait();
        }
        for node in &self.nodes {
            let _ = Command::new("ip").args(["netns", "del", &self.namespace(node)]).output();
        }
    }
}

/// The parts of a Dockerfile: the path of the program, the directory and the entry point.
struct Image {
    program: String,
    directory: String,
    entry: Vec<String>,
}

impl Image {
    fn read(dockerfile: &str) -> Self {
        let word = |instruction: &str| {
            let mut lines = dockerfile.lines();
            lines.find_map(|line| line.strip_prefix(instruction)).unwrap().trim().to_owned()
        };
        assert_eq!(word("FROM"), "scratch");
        let copied = word("COPY");
        let (source, program) = copied.split_once(' ').unwrap();
        assert_eq!(source, "eidway");
        Image {
            program: program.to_owned(),
            directory: word("WORKDIR"),
            entry: serde_json::from_str(&word("ENTRYPOINT")).unwrap(),
        }
    }
}

#[test]
fn the_routers_of_a_containerlab_export_register_when_they_are_started_by_hand() {
    if !can_run() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let export = directory.path().join("out");
    let name = format!("t-clab-{}", std::process::id());
    let arguments = ["--name", &name, "--containerlab", export.to_str().unwrap()];
    expect_success(&eidway(&[&["lab", "export", "gsmr"], &arguments[..]].concat()));
    let read = |file: &str| fs::read_to_string(export.join(file)).unwrap();
    let topology: Value = serde_saphyr::from_str(&read(&format!("{name}.clab.yml"))).unwrap();
    let image = Image::read(&read("Dockerfile"));
    let topology = &topology["topology"];
    let nodes = topology["nodes"].as_object().unwrap();
    let (routers, nodes_by_hand) = (Vec::new(), Vec::new());
    let mut lab = Containers { prefix: name, directory, routers, nodes: nodes_by_hand };
    // Containerlab starts the containers, then makes the links, and then runs the commands.
    for (node, definition) in nodes {
        lab.add(node, &[&topology["defaults"]["sysctls"], &definition["sysctls"]]);
        if definition["image"] == "eidway" {
            lab.start(&export, node, definition, &image);
        }
    }
    topology["links"].as_array().unwrap().iter().for_each(|link| lab.connect(link));
    for (node, definition) in nodes {
        for line in definition["exec"].as_array().into_iter().flatten() {
            let words: Vec<&str> = line.as_str().unwrap().split(' ').collect();
            expect_success(&lab.inside(node, &words));
        }
    }
    let mut sites = String::new();
    for _ in 0..300 {
        sites = lab.console("NewMSMR", "show lisp site");
        if sites.matches(" yes").count() == 8 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(sites.matches(" yes").count(), 8, "{sites}\n{}", lab.logs());
    for (from, address) in [("B", "172.16.0.12"), ("B", "2001:db8:a::12"), ("N", "10.10.10.10")] {
        let ping = lab.inside(from, &["ping", "-c", "2", "-W", "5", address]);
        assert!(ping.status.success(), "{from} to {address}: {ping:?}\n{}", lab.logs());
    }
    assert!(lab.console("xTR2", "show hosts").contains("172.16.0.12"), "the names of the hosts");
}
