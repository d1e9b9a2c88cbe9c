import Coordination
import Parameters
import Ring
import Threads
import Wire

/// What lanes and ring have to say.
extension WorkerProcess {
    func take(_ arrival: Arrival) {
        switch arrival {
        case .tried(let message): ended(message)
        case .search(let finding): take(finding)
        case .lane(.initialised(let digest)): handle(.initialised(digest))
        case .lane(.written(let digest, let writing)):
            guard let runner, writing == runner.writings else { break }
            handle(.stateStored(HeldState(step: runner.state.step, digest: digest)))
        case .lane(.updated(let step, let digest, let span)):
            guard let digest = digest ?? session.held?.digest else { break }
            handle(.reports(.updated(Update(HeldState(step: step, digest: digest), span: span))))
        case .lane(.evaluated(let evaluation)): handle(.reports(.evaluated(evaluation)))
        case .lane(.computed(let reports, let span, let attempt)):
            complete(attempt) {
                $0.reports = reports
                $0.compute = span
            }
            if let pending, pending.attempt == attempt {
                handle(.computed(step: pending.order.step))
            }
        case .lane(.stateDigest(let digest, let attempt)): complete(attempt) { $0.state = digest }
        case .lane(.squaredNorm(let norm, let layers, let attempt)):
            let bad = norm.isFinite ? [] : runner?.nonFiniteShards() ?? []
            complete(attempt) {
                $0.squaredNorm = norm
                $0.layerNorms = layers
                $0.nonFiniteShards = bad
            }
        case .ring(.formed(let generation)): handle(.reports(.formed(generation)))
        case .ring(.fellBack(let way, let reason)):
            if saidFallbacks.insert(way).inserted { report(.fellBack(from: way, reason: reason)) }
        case .ring(.turnedAway(let host, let reason)):
            let kind = TurnedAway.Kind(host: host, reason: reason)
            guard let more = strangers.note(kind, at: .now) else { break }
            report(.turnedAway(host: host, reason, more: more))
        case .ring(.broken(let generation, let reason)):
            handle(.reports(.ringBroken(generation, reason.fault)))
        case .ring(.folded(let step, let digest, let timings)):
            guard let pending, pending.order.step == Int(step) else { return }
            complete(pending.attempt) {
                $0.total = digest
                $0.fold = WorkerSpan(
                    from: Clock.moment(timings.begun), to: Clock.moment(timings.ended))
                $0.link = timings.link
            }
            runner?.normTotal(
                measuresLayers: pending.order.measuresLayers, attempt: pending.attempt)
        }
    }

    private func take(_ finding: Search.Finding) {
        do throws(WorkerError) {
            try search.take(finding)
            if case .addresses = finding { nextAttempt = .now }
        } catch {
            // Some coordinator has answered since.
            if session.phase == .joining { failure = error }
        }
    }

    private func complete(_ attempt: Int, _ change: (inout PendingVote) -> Void) {
        guard pending?.attempt == attempt else { return }
        change(&pending!)
        if let vote = pending?.vote { handle(.reports(.voted(vote))) }
    }
}
