-- A post-dissector for Wireshark 4.0 and tshark 4.0: the fields of LISP that they do not know.
--
--   tshark -X lua_script:wireshark/eidway.lua -r FILE -Y eidway -T fields -e eidway.message
--
-- Copied to the Personal Lua Plugins folder (`tshark -G folders`), it is loaded by itself. It adds a tree
-- to each packet with a LISP control message, on UDP or in the reliable transport on TCP port 4342:
--
--   eidway.message       the name of each message, as the standards write it; also that of a Map-Notify-Ack
--   eidway.mreq.*        bits of a Map-Request: I (xTR-ID), L (local xTR), D (no Map-Reply), N (subscribe)
--   eidway.mreg.*        bits of a Map-Register: r (reliable transport), E, T (use TTL), a (merge)
--   eidway.mack.*        a Map-Notify-Ack: its authentication, its records, their locators
--   eidway.xtrid, eidway.siteid    of a Map-Request (RFC 9437) and of a Map-Notify-Ack
--   eidway.error         the name of the code of an Error-Notification
--
-- Wireshark itself dissects all other fields of these messages: lisp.* and lisp-tcp.*.

local eidway = Proto("eidway", "LISP, fields that Wireshark 4.0 lacks")

local f = {
    message = ProtoField.string("eidway.message", "Message"),
    mreq_i = ProtoField.bool("eidway.mreq.xtrid", "I bit (xTR-ID present)"),
    mreq_l = ProtoField.bool("eidway.mreq.local", "L bit (the sender is an xTR of the same site)"),
    mreq_d = ProtoField.bool("eidway.mreq.no_reply", "D bit (the sender wants no Map-Reply)"),
    mreq_n = ProtoField.bool("eidway.mreq.record.subscribe", "N bit (subscribe to the mapping)"),
    mreg_r = ProtoField.bool("eidway.mreg.reliable", "r bit (reliable transport wanted)"),
    mreg_e = ProtoField.bool("eidway.mreg.dynamic", "E bit (a first-hop router discovered the EID)"),
    mreg_t = ProtoField.bool("eidway.mreg.ttl", "T bit (use the Record TTL)"),
    mreg_a = ProtoField.bool("eidway.mreg.merge", "a bit (merge the locators)"),
    mack_i = ProtoField.bool("eidway.mack.xtrid", "I bit (xTR-ID present)"),
    mack_r = ProtoField.bool("eidway.mack.rtr", "R bit (built for an RTR)"),
    mack_records = ProtoField.uint8("eidway.mack.records", "Record Count"),
    mack_nonce = ProtoField.uint64("eidway.mack.nonce", "Nonce", base.HEX),
    mack_key = ProtoField.uint8("eidway.mack.key_id", "Key ID"),
    mack_algorithm = ProtoField.uint8("eidway.mack.algorithm_id", "Algorithm ID"),
    mack_auth = ProtoField.bytes("eidway.mack.auth", "Authentication Data"),
    ttl = ProtoField.uint32("eidway.mack.record.ttl", "Record TTL"),
    action = ProtoField.uint8("eidway.mack.record.act", "ACT"),
    authoritative = ProtoField.bool("eidway.mack.record.authoritative", "A bit"),
    version = ProtoField.uint16("eidway.mack.record.version", "Map-Version Number"),
    iid = ProtoField.uint32("eidway.mack.record.iid", "Instance ID"),
    eid = ProtoField.string("eidway.mack.record.eid", "EID-Prefix"),
    locator = ProtoField.string("eidway.mack.loc", "Locator"),
    priority = ProtoField.uint8("eidway.mack.loc.priority", "Priority"),
    weight = ProtoField.uint8("eidway.mack.loc.weight", "Weight"),
    loc_l = ProtoField.bool("eidway.mack.loc.local", "L bit (address of the sender of the record)"),
    loc_p = ProtoField.bool("eidway.mack.loc.probe", "p bit (probed)"),
    loc_r = ProtoField.bool("eidway.mack.loc.reachable", "R bit (reachable)"),
    xtrid = ProtoField.bytes("eidway.xtrid", "xTR-ID"),
    siteid = ProtoField.bytes("eidway.siteid", "Site-ID"),
    error = ProtoField.string("eidway.error", "Error Code"),
    damage = ProtoField.string("eidway.damage", "Damage"),
}
eidway.fields = f

-- The layers of Wireshark: each UDP message, also one in an ECM, and each message of a TCP stream.
local lisp_layers = Field.new("lisp")
local tcp_layers = Field.new("lisp-tcp")

local MESSAGES = {
    [1] = "Map-Request", [2] = "Map-Reply", [3] = "Map-Register", [4] = "Map-Notify",
    [5] = "Map-Notify-Ack", [7] = "Info", [8] = "ECM",
}
local FRAMES = {
    [16] = "Error-Notification", [17] = "Registration", [18] = "Registration-Ack",
    [19] = "Registration-Reject", [20] = "Registration-Refresh", [21] = "Mapping-Notification",
}
local ERRORS = { [1] = "Unrecognized message type", [2] = "Message format error" }

-- The octets before the message in a frame of the reliable transport: Type, Length, Message ID.
local FRAME_HEADER = 8
local AFI_IPV4, AFI_IPV6, AFI_NAME, AFI_LCAF, AFI_MAC = 1, 2, 17, 16387, 16389
local LCAF_INSTANCE_ID = 2

-- Adds a bit of the message, counted from the high-order bit of its first octet.
local function bit(tree, field, range, at)
    local is_set = range:bitfield(at, 1) == 1
    tree:add(field, range(math.floor(at / 8), 1), is_set)
    return is_set
end

-- Reads an AFI and its address. Returns the text of the address, the position behind it, and the Instance
-- ID, if there is one.
local function address(range, at)
    local afi = range(at, 2):uint()
    if afi == 0 then
        return "", at + 2
    elseif afi == AFI_IPV4 then
        return tostring(range(at + 2, 4):ipv4()), at + 6
    elseif afi == AFI_IPV6 then
        return tostring(range(at + 2, 16):ipv6()), at + 18
    elseif afi == AFI_MAC then
        return tostring(range(at + 2, 6):ether()), at + 8
    elseif afi == AFI_NAME then
        local name = range(at + 2):stringz()
        return name, at + 2 + #name + 1
    elseif afi == AFI_LCAF then
        local kind, behind = range(at + 4, 1):uint(), at + 8 + range(at + 6, 2):uint()
        if kind == LCAF_INSTANCE_ID then
            return address(range, at + 12), behind, range(at + 8, 4):uint()
        end
        return "LCAF of type " .. kind, behind
    end
    error("the length of AFI " .. afi .. " is not known", 0)
end

-- Reads a mapping record. With a tree, adds its fields. Returns the position behind it, and its EID-Prefix.
local function record(range, at, tree)
    local locators, mask_len = range(at + 4, 1):uint(), range(at + 5, 1):uint()
    local eid, behind, iid = address(range, at + 10)
    local prefix = eid .. "/" .. mask_len
    if tree then
        tree:add(f.ttl, range(at, 4))
        tree:add(f.action, range(at + 6, 1), range(at + 6, 1):bitfield(0, 3))
        tree:add(f.authoritative, range(at + 6, 1), range(at + 6, 1):bitfield(3, 1) == 1)
        tree:add(f.version, range(at + 8, 2), range(at + 8, 2):bitfield(4, 12))
        if iid then tree:add(f.iid, range(at + 10, behind - at - 10), iid) end
        tree:add(f.eid, range(at + 10, behind - at - 10), prefix)
    end
    for _ = 1, locators do
        local rloc, after = address(range, behind + 6)
        if tree then
            local item = tree:add(f.locator, range(behind, after - behind), rloc)
            item:add(f.priority, range(behind, 1))
            item:add(f.weight, range(behind + 1, 1))
            bit(item, f.loc_l, range(behind + 4, 2), 13)
            bit(item, f.loc_p, range(behind + 4, 2), 14)
            bit(item, f.loc_r, range(behind + 4, 2), 15)
        end
        behind = after
    end
    return behind, prefix
end

local function identity(range, at, tree)
    tree:add(f.xtrid, range(at, 16))
    tree:add(f.siteid, range(at + 16, 8))
end

-- RFC 9301 section 5.2, RFC 9437 section 4.
local function map_request(range, tree)
    local has_identity = bit(tree, f.mreq_i, range, 11)
    bit(tree, f.mreq_l, range, 17)
    bit(tree, f.mreq_d, range, 18)
    local _, at = address(range, 12)
    for _ = 0, range:bitfield(19, 5) do
        _, at = address(range, at)
    end
    for _ = 1, range(3, 1):uint() do
        bit(tree, f.mreq_n, range(at, 1), 0)
        _, at = address(range, at + 2)
    end
    if range:bitfield(5, 1) == 1 and at < range:len() then
        at = record(range, at)
    end
    if has_identity then identity(range, at, tree) end
end

-- RFC 9301 section 5.6.
local function map_register(range, tree)
    bit(tree, f.mreg_r, range, 18)
    bit(tree, f.mreg_e, range, 19)
    bit(tree, f.mreg_t, range, 20)
    bit(tree, f.mreg_a, range, 21)
end

-- RFC 9301 section 5.7: a Map-Notify-Ack has the form of a Map-Notify. Returns its first EID-Prefix.
local function map_notify_ack(range, tree)
    local has_identity = bit(tree, f.mack_i, range, 4)
    bit(tree, f.mack_r, range, 5)
    tree:add(f.mack_records, range(3, 1))
    tree:add(f.mack_nonce, range(4, 8))
    tree:add(f.mack_key, range(12, 1))
    tree:add(f.mack_algorithm, range(13, 1))
    local len = range(14, 2):uint()
    if len > 0 then tree:add(f.mack_auth, range(16, len)) end
    local at, first = 16 + len, nil
    for _ = 1, range(3, 1):uint() do
        local prefix
        at, prefix = record(range, at, tree)
        first = first or prefix
    end
    if has_identity then identity(range, at, tree) end
    return first
end

local function control(range, tree, pinfo)
    local kind = range:bitfield(0, 4)
    tree:add(f.message, range(0, 1), MESSAGES[kind] or "Type " .. kind)
    if kind == 1 then
        map_request(range, tree)
    elseif kind == 3 then
        map_register(range, tree)
    elseif kind == 5 then
        local prefix = map_notify_ack(range, tree)
        pinfo.cols.info = "Map-Notify-Ack" .. (prefix and " for " .. prefix or "")
    end
end

local function frame(range, tree)
    local kind = range(0, 2):uint()
    tree:add(f.message, range(0, 2), FRAMES[kind] or "Type " .. kind)
    if kind == 16 then
        local code = range(FRAME_HEADER, 1):uint()
        tree:add(f.error, range(FRAME_HEADER, 1), ERRORS[code] or "Code " .. code)
    elseif kind == 17 then
        local register = range(FRAME_HEADER)
        tree:add(f.message, register(0, 1), MESSAGES[register:bitfield(0, 4)])
        map_register(register, tree)
    end
end

function eidway.dissector(_, pinfo, root)
    local function each(layers, dissect)
        for _, layer in ipairs(layers) do
            local tree = root:add(eidway, layer.range)
            -- A message may end early.
            local is_whole, problem = pcall(dissect, layer.range, tree, pinfo)
            if not is_whole then tree:add(f.damage, layer.range, tostring(problem)) end
        end
    end
    each({ lisp_layers() }, control)
    each({ tcp_layers() }, frame)
end

register_postdissector(eidway)
