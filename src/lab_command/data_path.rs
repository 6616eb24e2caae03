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
    /// Where the routers forward packets: in the kernel, in their processes, or in the kernel where
    /// the machine and the privileges permit it
    #[arg(long, value_name = "auto|kernel|user", default_value_t, conflicts_with = "sim")]
    data_path: DataPathChoice,
}

impl DataPathArgs {
    /// The options of the routers. Their other options have the default values.
    pub fn options(&self) -> Options {
        let DataPathArgs { no_offload, data_path } = *self;
        Options { no_offload, data_path, ..Options::default() }
    }
}
