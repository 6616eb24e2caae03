//! The options for the data path of the routers of a lab in namespaces.

use clap::Args;
use eidway::driver::DataPathChoice;
use eidway::netns::plan::Options;

/// The options for the data path.
#[derive(Args)]
pub struct DataPathArgs {
    /// The routers forward packet by packet, even if the kernel has segmentation offload
    #[arg(long, conflicts_with = "sim")]
    no_offload: bool,
    /// The data path of the routers, which forwards the packets: `kernel` is the kernel, `user` is
    /// the process of each router. `auto` is the kernel if the machine and the privileges permit
    /// it, and otherwise the process of each router
    #[arg(long, value_name = "auto|kernel|user", default_value_t, conflicts_with = "sim")]
    data_path: DataPathChoice,
}

impl DataPathArgs {
    /// Returns the options for the routers. Options that are not in this struct have their default
    /// values.
    pub fn options(&self) -> Options {
        let DataPathArgs { no_offload, data_path } = *self;
        Options { no_offload, data_path, ..Options::default() }
    }
}
