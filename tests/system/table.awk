# Takes for each mode what its guest printed (STEP, LOAD, STATUS, KERNEL, HOST) and its events, and gives the table of steps, what was
# reported in each, and status 1 if a mode differs from the first one, or anything was reported.

function text(line, key,   from) {
    # The value of a key of one JSON line; what is looked for here holds no quotes.
    if (!match(line, "\"" key "\":(\"[^\"]*\"|[-0-9]+|null)")) return ""
    from = RSTART + length(key) + 3
    line = substr(line, from, RLENGTH - length(key) - 3)
    gsub(/^"|"$/, "", line)
    return line
}

# Equal events of a step are one line with a count; names that a run makes up are not told apart.
function event(line,   seconds, number, what) {
    seconds = text(line, "boot_ns") / 1e9
    if (line ~ /^{"lost"/) { seconds = last_time; what = line }
    else what = text(line, "verdict") " " text(line, "event") " " text(line, "path") text(line, "addr") " by " text(line, "exe") " (" text(line, "comm") ", uid " text(line, "uid") "): " rules(line)
    last_time = seconds
    gsub(/[0-9a-f]{64}/, "<id>", what)
    for (number = 1; number <= steps[mode]; number++) if (seconds < to[mode, number]) break
    row = number > steps[mode] ? "shut-down" : step[mode, number]
    events[mode, row]++
    total_events++
    if (!((mode, row, what) in seen)) lines[++line_count] = mode SUBSEP row SUBSEP what
    seen[mode, row, what]++
}

function rules(line,   found, rest) {
    rest = line
    while (match(rest, /"rule":"[^"]*"/)) {
        found = found (found == "" ? "" : ", ") substr(rest, RSTART + 8, RLENGTH - 9)
        rest = substr(rest, RSTART + RLENGTH)
    }
    return found (line ~ /"truth":"failed"/ ? ", undecided" : "")
}

FNR == 1 && mode != last { modes[++mode_count] = mode; last = mode }
/^STEP / {
    number = ++steps[mode]
    step[mode, number] = $2; status[mode, $2] = $3; to[mode, number] = $5; took[mode, $2] = $5 - $4
    if (mode_count == 1) order[++rows] = $2
    output = $2
    next
}
/^\| / { log_lines[mode, output, ++log_count[mode, output]] = substr($0, 3); next }
/^HOST seconds/ { took[mode, "all"] = $3; next }
/^HOST status/ && $3 != 0 { note[mode] = note[mode] "    the guest ended with status " $3 "\n"; bad++ }
/^HOST power-down/ { status[mode, "shut-down"] = 0; next }
# Paths that were not computed, events without a record, forks that were refused: none of them is right.
/^STATUS failures/ {
    line = $0
    gsub(/[^0-9]/, " ", line)
    sum = split(line, count, " ") ? count[1] + count[2] + count[3] : 0
    if (sum) { note[mode] = note[mode] "    " substr($0, index($0, " ") + 1) "\n"; bad++ }
}
/^KERNEL / && /BUG|WARNING|RCU|rcu|Oops|hung task/ { note[mode] = note[mode] "    " substr($0, index($0, " ") + 1) "\n"; bad++ }
/^{/ { event($0) }

END {
    if (!rows) { print "no step was done"; bad++ }
    order[++rows] = "shut-down"
    width = 9
    for (row = 1; row <= rows; row++) if (length(order[row]) > width) width = length(order[row])
    printf "%-" width "s", "Linux " kernel
    for (m = 1; m <= mode_count; m++) printf "  %-20s", modes[m]
    print ""
    for (row = 1; row <= rows; row++) {
        name = order[row]
        printf "%-" width "s", name
        for (m = 1; m <= mode_count; m++) {
            mode = modes[m]
            done = (mode, name) in status
            wrong = !done || status[mode, name] != 0 || events[mode, name]
            cell = !done ? "not reached" : status[mode, name] == 0 ? "ok" : "status " status[mode, name]
            if (events[mode, name]) cell = cell ", " events[mode, name] " reports"
            printf "  %-20s", cell
            bad += wrong
        }
        print ""
    }
    printf "%-" width "s", "seconds"
    for (m = 1; m <= mode_count; m++) printf "  %-20s", took[modes[m], "all"]
    print ""
    for (number = 1; number <= line_count; number++) {
        split(lines[number], part, SUBSEP)
        if (number == 1) print "\nreported:"
        printf "%-9s %-22s %4d x %s\n", part[1], part[2], seen[part[1], part[2], part[3]], part[3]
    }
    for (row = 1; row <= rows; row++) for (m = 1; m <= mode_count; m++) {
        mode = modes[m]; name = order[row]
        if (!((mode, name) in status) || status[mode, name] == 0) continue
        print "\n" mode " " name " ended with status " status[mode, name] ":"
        first = log_count[mode, name] > 12 ? log_count[mode, name] - 11 : 1
        for (line = first; line <= log_count[mode, name]; line++) print "    | " log_lines[mode, name, line]
    }
    for (m = 1; m <= mode_count; m++) if (note[modes[m]] != "") printf "\n%s:\n%s", modes[m], note[modes[m]]
    print ""
    print bad ? bad " differences" : "no difference in " (rows * mode_count) " steps"
    exit bad > 0
}
