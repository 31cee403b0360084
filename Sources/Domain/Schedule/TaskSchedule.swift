/// When a task runs by itself.
package struct TaskSchedule: Sendable, Hashable {
    package enum Rhythm: Sendable, Hashable {
        /// At the times of a crontab, on the clocks of the zone.
        case crontab(Crontab)
        /// So many hours after one another, counted from the start: hours that pass, whatever clocks do.
        case interval(hours: Int)
    }

    /// What becomes of a run whose time passed while the server could not do it.
    package enum Missed: String, Sendable, CaseIterable {
        /// It is made up for once, however many were missed.
        case catchUp = "catch_up"
        case skip
    }

    package let rhythm: Rhythm
    /// Where the interval is counted from, and before which nothing runs.
    package let start: Timestamp
    package let missed: Missed
    /// A run begins at most so many seconds after its time, so that many tasks of one time do not begin at once.
    package let jitter: Int64

    package init(rhythm: Rhythm, start: Timestamp, missed: Missed = .catchUp, jitter: Int64 = 0) {
        self.rhythm = rhythm
        self.start = start
        self.missed = missed
        self.jitter = jitter
    }

    /// Minutes of an hour that a crontab may name: secrets are not turned every minute, and a typing error (`*` for `0`) would.
    ///
    /// JumpServer forbids a minute field that begins with `*` and lets a list of sixty pass.
    package static let mostStartsAnHour = 12
    /// JumpServer's range, in hours.
    package static let intervals = 1...65_535
    /// An hour, in seconds.
    package static let longestJitter: Int64 = 3600

    /// The first planned time after a moment, without jitter; nil where there is none any more.
    package func next(after moment: Timestamp, in zone: ZoneRules) -> Timestamp? {
        switch rhythm {
        case .crontab(let crontab):
            return crontab.next(after: max(moment, start.adding(seconds: -1)), in: zone)
        case .interval(let hours):
            if moment < start { return start }
            let step = Int64(max(1, hours)) * 3_600_000
            let (passed, overflow) = moment.milliseconds.subtractingReportingOverflow(start.milliseconds)
            guard !overflow else { return nil }
            let (rest, isFar) = step.subtractingReportingOverflow(passed % step)
            let (next, isBeyond) = moment.milliseconds.addingReportingOverflow(rest)
            return isFar || isBeyond ? nil : Timestamp(milliseconds: next)
        }
    }

    /// When the run of a planned time begins: the same moment whenever it is asked, another one for each task and time.
    package func begin(of planned: Timestamp, task: AutomationTaskID) -> Timestamp {
        guard jitter > 0 else { return planned }
        // SplitMix64 of task and time: spread evenly, nothing secret about it.
        var mixed = task.low ^ UInt64(bitPattern: planned.milliseconds)
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return planned.adding(seconds: Int64(mixed % UInt64(jitter + 1)))
    }
}

// MARK: - Late runs

extension TaskSchedule {
    /// How late a run may begin before it counts as missed.
    package static let grace = Duration.seconds(300)

    /// What to do about a run whose time has come.
    package enum Decision: Sendable, Hashable {
        case run
        /// Its time passed while nobody could run it, and the task says to leave it.
        case skip
    }

    package func decision(for begin: Timestamp, at now: Timestamp) -> Decision {
        let late = now.seconds - begin.seconds
        return missed == .skip && late > Self.grace.components.seconds ? .skip : .run
    }

    /// Since when a run is overdue; nil where none is. Asks the clock and the last run only, and not what a scheduler has planned.
    ///
    /// - Parameter lastRun: when the last run began; nil before the first.
    /// - Parameter since: from when on the schedule holds.
    package func overdue(
        lastRun: Timestamp?, since: Timestamp, task: AutomationTaskID, at now: Timestamp, in zone: ZoneRules
    ) -> Timestamp? {
        guard let planned = next(after: max(lastRun ?? since, since), in: zone) else { return nil }
        let latest = begin(of: planned, task: task).adding(seconds: Self.grace.components.seconds)
        return latest < now ? planned : nil
    }
}
