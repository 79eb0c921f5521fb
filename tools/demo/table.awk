# Takes `operations` and what the guest printed, gives the table of the demonstration, and status 1 if anything went
# another way than expected. `colour` is 1 on a terminal that wants it.

function trim(text) { gsub(/^ +| +$/, "", text); return text }
function paint(text, code) { return colour ? "\033[" code "m" text "\033[0m" : text }
function shown(result) { return result == "EPERM" ? "refused" : result }
function pad(text, width) { return sprintf("%-" width "s", text) }

# Operations: what | as whom | expected | command.
FNR == NR {
    if ($0 ~ /^# /) section = substr($0, 3)
    if ($0 ~ /^#/ || NF == 0) next
    n = split($0, part, "|")
    total++
    title[total] = trim(part[1]); who[total] = trim(part[2]); expected[total] = trim(part[3]); group[total] = section
    if (length(title[total]) > wide_title) wide_title = length(title[total])
    if (length(who[total]) > wide_who) wide_who = length(who[total])
    next
}

$1 == "ROW" {
    result[$2, $3] = $4
    if ($2 == "after") { first[$3] = $5; last[$3] = $6 }
    next
}

# RULE name action … FILE:LINE
$1 == "RULE" {
    reports[$2 " at " $NF] = $0 ~ / audit /
    next
}

# EVENT time verdict event object by PROGRAM[process] (RULE at FILE:LINE)…
$1 == "EVENT" && match($0, /\[[0-9]+\]/) {
    process = substr($0, RSTART + 1, RLENGTH - 2) + 0
    for (number = 1; number <= total; number++)
        if (process >= first[number] && process < last[number]) {
            events[number]++
            rest = $0
            while (match(rest, /\([^()]+ at /)) {
                rule = substr(rest, RSTART + 1, RLENGTH - 5)
                rest = substr(rest, RSTART + RLENGTH)
                place = substr(rest, 1, match(rest, /[ )]/) - 1)
                # What only reports did not decide that something was refused.
                if (expected[number] != "told" && reports[rule " at " place]) continue
                if (index(", " rules[number] ", ", ", " rule ", ") == 0)
                    rules[number] = rules[number] (rules[number] == "" ? "" : ", ") rule
            }
        }
}

function verdict(number,   after) {
    after = shown(result["after", number])
    if (result["before", number] != "ok") return "WRONG"
    if (expected[number] == "ok") return after == "ok" && !events[number] ? "right" : "WRONG"
    if (expected[number] == "told") return after == "ok" && events[number] ? "right" : "WRONG"
    return after == expected[number] && events[number] ? "right" : "WRONG"
}

END {
    for (number = 1; number <= total; number++) {
        if (group[number] != group[number - 1]) {
            if (number > 1) print ""
            print paint(pad(group[number], wide_title) "  " pad("as whom", wide_who) "  before   after    expected  outcome  rule that decided", "1")
        }
        outcome = verdict(number)
        wrong += outcome == "WRONG"
        after = shown(result["after", number]); before = shown(result["before", number])
        print pad(title[number], wide_title) "  " pad(who[number], wide_who) "  " pad(before == "" ? "-" : before, 7) "  " \
            pad(after == "" ? "-" : after, 7) "  " pad(expected[number], 8) "  " paint(pad(outcome, 7), outcome == "right" ? 32 : "31;1") \
            "  " (rules[number] == "" ? "-" : rules[number])
    }
    print ""
    if (!total) { print "there are no operations"; exit 1 }
    if (wrong) print paint(wrong " of " total " went WRONG", "31;1")
    else print paint("all " total " went as expected", 32)
    exit wrong > 0
}
