import Foundation
import Kernels
import Resources

/// A worker's computing threads. Each lane does all jobs in order, without waiting for the others
/// in between.
///
/// Products block, so these are plain threads and not tasks of the cooperative pool.
package final class LanePool: @unchecked Sendable {
    private struct Job {
        let body: @Sendable (_ lane: Int) -> Void
        let completion: @Sendable () -> Void
    }

    /// Number of lanes, at least 1.
    package let count: Int
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var jobs: [Job] = []
    private var firstJob = 0
    private var unfinishedLanes: [Int] = []
    private var isStopped = false
    private var runningThreads: Int

    /// - Throws: where the system refuses one of the threads; none is left then.
    package init(lanes count: Int) throws(ResourceError) {
        precondition(count >= 1, "\(count) lanes")
        self.count = count
        runningThreads = 0
        for lane in 0..<count {
            do throws(ResourceError) {
                condition.withLock { runningThreads += 1 }
                try startThread("lane \(lane)") { [self] in work(as: lane) }
            } catch {
                condition.withLock { runningThreads -= 1 }
                stop()
                throw ResourceError(.threads(count), error.limit)
            }
        }
    }

    /// Runs `body` once on every lane; the lane that ends last runs `completion`.
    package func run(
        _ body: @escaping @Sendable (_ lane: Int) -> Void,
        then completion: @escaping @Sendable () -> Void = {}
    ) {
        condition.withLock {
            jobs.append(Job(body: body, completion: completion))
            unfinishedLanes.append(count)
            condition.broadcast()
        }
    }

    /// Runs `body` on every lane and returns when all have ended.
    package func runAndWait(_ body: @escaping @Sendable (_ lane: Int) -> Void) {
        let done = DispatchSemaphore(value: 0)
        run(body) { done.signal() }
        done.wait()
    }

    /// Ends the threads after the jobs at hand.
    package func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
            while runningThreads > 0 { condition.wait() }
        }
    }

    private func work(as lane: Int) {
        var next = 0
        while let job = take(next) {
            FloatingPointMode.require()
            job.body(lane)
            if finish(next) { job.completion() }
            next += 1
        }
        condition.withLock {
            runningThreads -= 1
            condition.broadcast()
        }
    }

    private func take(_ number: Int) -> Job? {
        condition.withLock {
            while number - firstJob >= jobs.count {
                if isStopped { return nil }
                condition.wait()
            }
            return jobs[number - firstJob]
        }
    }

    /// Notes that a lane has done a job; true if it was the last one.
    private func finish(_ number: Int) -> Bool {
        condition.withLock {
            unfinishedLanes[number - firstJob] -= 1
            let isLast = unfinishedLanes[number - firstJob] == 0
            while let first = unfinishedLanes.first, first == 0 {
                unfinishedLanes.removeFirst()
                jobs.removeFirst()
                firstJob += 1
            }
            return isLast
        }
    }
}
