-- tshark.lua
-- Prints the frames of a capture that match display filters, all in one run of tshark. Each line of the file
-- $EIDWAY_QUERIES is a field, a tab, and a filter. The output is a line for each query and each frame that matches
-- its filter: the number of the query, the number of the frame, and the values of the field, separated by tabs.

for line in io.lines(os.getenv("EIDWAY_QUERIES")) do
    local name, filter = line:match("^(.-)\t(.*)$")
    -- Lua requires that all fields are declared before the first packet.
    local field = Field.new(name)
    queries = (queries or 0) + 1
    local number = queries
    local listener = Listener.new(nil, filter)
    function listener.packet(pinfo)
        local values = {}
        for _, value in ipairs({ field() }) do
            values[#values + 1] = tostring(value)
        end
        print(number .. "\t" .. pinfo.number .. "\t" .. table.concat(values, ","))
    end
end
