use std::net::IpAddr;

use super::*;
