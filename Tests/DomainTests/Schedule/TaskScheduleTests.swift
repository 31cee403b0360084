import Domain
import TestSupport
import Testing

@Suite("Schedules of tasks")
struct TaskScheduleTests {
    private static let start = Timestamp(seconds: 1_800_000_000)
    private static let task = AutomationTaskID(high: 1, low: 2)

    private static func daily(missed: TaskSchedule.Missed = .catchUp, jitter: Int64 = 0) throws -> TaskSchedule {
        TaskSchedule(rhythm: .crontab(try Crontab("0 3 * * *")), start: start, missed: missed, jitter: jitter)
    }

    @Test("an interval counts from its start, whenever it is asked")
    func interval() {
        let schedule = TaskSchedule(rhythm: .interval(hours: 5), start: Self.start)
        #expect(schedule.next(after: Self.start.adding(seconds: -1), in: .utc) == Self.start)
        #expect(schedule.next(after: Self.start, in: .utc) == Self.start.adding(seconds: 5 * 3600))
        #expect(schedule.next(after: Self.start.adding(seconds: 5 * 3600 - 1), in: .utc) == Self.start.adding(seconds: 5 * 3600))
        #expect(schedule.next(after: Self.start.adding(seconds: 12 * 3600), in: .utc) == Self.start.adding(seconds: 15 * 3600))
        #expect(schedule.next(after: Timestamp(milliseconds: .max), in: .utc) == nil)
        var random = SeededGenerator(seed: 5)
        var moment = Self.start
        for _ in 0..<200 {
            moment = moment.adding(seconds: Int64.random(in: 0...100_000, using: &random))
            let next = schedule.next(after: moment, in: .utc)
            #expect(next.map { $0 > moment && $0 <= moment.adding(seconds: 5 * 3600) } == true)
        }
    }

    @Test("nothing is due before the start")
    func beforeStart() throws {
        let next = try Self.daily().next(after: Timestamp(seconds: 0), in: .utc)
        #expect(next.map { $0 >= Self.start } == true)
    }

    @Test("jitter stays within its bound, is the same each time, and spreads tasks")
    func jitter() throws {
        let schedule = try Self.daily(jitter: 600)
        var delays: Set<Int64> = []
        for low in 0..<200 as Range<UInt64> {
            let task = AutomationTaskID(high: 9, low: low)
            let begin = schedule.begin(of: Self.start, task: task)
            #expect(begin == schedule.begin(of: Self.start, task: task))
            #expect((0...600).contains(begin.seconds - Self.start.seconds))
            delays.insert(begin.seconds - Self.start.seconds)
        }
        #expect(delays.count > 100)
        #expect(try Self.daily().begin(of: Self.start, task: Self.task) == Self.start)
    }

    @Test("a run that is a little late still runs; one that was missed is made up for or left, as the task says")
    func missed() throws {
        let (late, missed) = (Self.start.adding(seconds: 200), Self.start.adding(seconds: 301))
        for policy in TaskSchedule.Missed.allCases {
            #expect(try Self.daily(missed: policy).decision(for: Self.start, at: late) == .run)
        }
        #expect(try Self.daily(missed: .catchUp).decision(for: Self.start, at: missed) == .run)
        #expect(try Self.daily(missed: .skip).decision(for: Self.start, at: missed) == .skip)
    }

    @Test("a task is overdue when its time passed after its last run, jitter and patience included")
    func overdue() throws {
        let schedule = try Self.daily(jitter: 60)
        let planned = try #require(schedule.next(after: Self.start, in: .utc))
        let begin = schedule.begin(of: planned, task: Self.task)
        func asked(_ now: Timestamp, lastRun: Timestamp? = nil) -> Timestamp? {
            schedule.overdue(lastRun: lastRun, since: Self.start, task: Self.task, at: now, in: .utc)
        }
        #expect(asked(begin) == nil)
        #expect(asked(begin.adding(seconds: 300)) == nil)
        #expect(asked(begin.adding(seconds: 301)) == planned)
        #expect(asked(begin.adding(seconds: 301), lastRun: begin) == nil)
        #expect(asked(begin.adding(seconds: 301), lastRun: planned.adding(seconds: -1)) == planned)
        // A schedule that was set after the time asks for nothing from before.
        #expect(schedule.overdue(lastRun: nil, since: begin, task: Self.task, at: begin.adding(seconds: 301), in: .utc) == nil)
    }

    @Test("a crontab wins over an interval, and what is no rule is no schedule")
    func timing() {
        #expect(TaskTiming(isPeriodic: false, crontab: "0 3 * * *").schedule == nil)
        guard case .crontab? = TaskTiming(isPeriodic: true, crontab: "0 3 * * *", interval: 5).schedule?.rhythm else {
            Issue.record("the crontab was not taken")
            return
        }
        #expect(TaskTiming(isPeriodic: true, interval: 5).schedule?.rhythm == .interval(hours: 5))
        #expect(TaskTiming(isPeriodic: true, crontab: "nonsense", interval: 5).schedule == nil)
        #expect(TaskTiming(isPeriodic: true, interval: 0).schedule == nil)
    }
}
