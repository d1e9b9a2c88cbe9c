/// What a run may meet or use. Each seed has a random half switched off: faults that are always
/// together hide each other.
enum Feature: CaseIterable, Sendable {
    // Faults that befall processes, connections and disk.
    case killsWorkers, flipsBits, endsWorkers, hangsWorkers, stopsWorkers, dropsConnections
    case changesToken, cutsControl, cutsRing, dropsRing, killsCoordinator, stopsCoordinator
    case failsDisk, stopsRun, killsEverything
    /// Stops and cuts that do not end by themselves.
    case lastsForGood
    // What the ring's network does to frames: again, not at all, changed, before others.
    case repeatsFrames, losesFrames, altersFrames, overtakes
    /// A frame also comes to the member after the one that it is for, as if that had sent it.
    case misroutes
    /// Few messages take long.
    case delays
    // The ways of the ring.
    case sharesMemory, sumsInPlace, rounds
    /// The ring's thread does a few things at a time; the kernel takes numbers late.
    case slowRing, slowKernel
    // What the run was asked for.
    case joins, balances, validates, checkpoints
}
