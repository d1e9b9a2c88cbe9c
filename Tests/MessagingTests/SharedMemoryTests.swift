import CLinux
import Foundation
import Messaging
import Testing
import Wire

@Suite struct SharedMemoryTests {
    @Test func `a neighbour reads what was written, and cannot write where it may not`() throws {
        let memory = try SharedMemory(byteCount: 10_000, writable: false)
        memory.address.storeBytes(of: 42, toByteOffset: 9_992, as: Int.self)
        var status = stat()
        #expect(fstat(memory.handle.descriptor, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let neighbour = try NeighbourMemory(memory.handle, writable: false)
        let bytes = try #require(neighbour.bytes(9_992..<10_000))
        #expect(bytes.loadUnaligned(as: Int.self) == 42)
        #expect(neighbour.bytes(9_992..<10_001) == nil && neighbour.bytes(-1..<1) == nil)
        #expect(throws: MessagingError.self) {
            _ = try NeighbourMemory(memory.handle, writable: true)
        }
    }

    @Test func `memory cannot shrink under its reader`() throws {
        let memory = try SharedMemory(byteCount: 8192, writable: true)
        let descriptor = memory.handle.descriptor
        #expect(ftruncate(descriptor, 0) == -1 && ftruncate(descriptor, 1 << 20) == -1)
        let neighbour = try NeighbourMemory(memory.handle, writable: true)
        #expect(neighbour.bytes(0..<8192)?.last == 0)
    }

    @Test func `memory that could vanish, or is not what was said, is refused`() throws {
        func handle(of descriptor: Int32, _ bytes: Int) -> MemoryPlace {
            var status = stat()
            fstat(descriptor, &status)
            return MemoryPlace(
                process: getpid(), descriptor: descriptor, device: UInt64(status.st_dev),
                inode: UInt64(status.st_ino), byteCount: bytes)
        }
        let unsealed = dtrain_memory_file("dtrain")
        defer { close(unsealed) }
        #expect(ftruncate(unsealed, 4096) == 0)
        let file = open("/proc/self/exe", O_RDONLY)
        defer { close(file) }
        var handles = [handle(of: unsealed, 4096), handle(of: file, 4096)]
        let sound = try SharedMemory(byteCount: 4096, writable: false).handle
        // It is gone already: its number is free or another file's.
        handles.append(sound)
        let memory = try SharedMemory(byteCount: 4096, writable: false)
        for change in [
            { $0.byteCount = 8192 }, { $0.byteCount = 0 }, { $0.byteCount = -1 },
            { $0.byteCount = .max }, { $0.inode += 1 }, { $0.descriptor = -1 },
            { $0.process = 0 }, { $0.process = .max },
        ] as [(inout MemoryPlace) -> Void] {
            var wrong = memory.handle
            change(&wrong)
            handles.append(wrong)
        }
        for handle in handles {
            #expect(throws: MessagingError.self, "\(handle)") {
                _ = try NeighbourMemory(handle, writable: false)
            }
            #expect(throws: MessagingError.self) { _ = try NeighbourBell(handle) }
        }
    }

    @Test func `a bell ends a wait, and outlives its owner without a signal`() throws {
        var bell: Bell? = try Bell()
        let neighbour = try NeighbourBell(bell!.handle)
        neighbour.ring()
        var poller = Poller()
        let place = poller.add(descriptor: bell!.descriptor, for: .readable)
        #expect(try poller.wait(until: .now + .seconds(10)))
        #expect(poller.events(at: place) == .readable)
        bell!.drain()
        #expect(try !poller.wait(until: .now))
        bell = nil
        for _ in 0..<100_000 { neighbour.ring() }
    }

    @Test func `a queue gives frames in order, and refuses nonsense of the other end`() throws {
        let memory = try SharedMemory(
            byteCount: SharedQueue.byteCount(slots: 3, frameBytes: 80), writable: true)
        var first = SharedQueue(at: memory.address, slots: 3, frameBytes: 80)
        var second = SharedQueue(at: memory.address, slots: 3, frameBytes: 80)
        var frame = [UInt8](repeating: 0, count: 80)
        for round in 0..<20 as Range<UInt8> {
            let count = round % 4
            for index in 0..<count {
                #expect([UInt8](repeating: index, count: 80).withUnsafeBytes { first.put($0) })
            }
            if count == 3 { #expect(!frame.withUnsafeBytes { first.put($0) }) }
            for index in 0..<count {
                #expect(try frame.withUnsafeMutableBytes { try second.take(into: $0) })
                #expect(frame == [UInt8](repeating: index, count: 80))
            }
            #expect(try !frame.withUnsafeMutableBytes { try second.take(into: $0) })
        }
        #expect(!first.mustWake())
        second.fallAsleep()
        #expect(first.mustWake() && !first.mustWake())
        for claim: UInt64 in [1000, .max, 0] {
            dtrain_store(memory.address, claim)
            #expect(throws: MessagingError.self) {
                _ = try frame.withUnsafeMutableBytes { try second.take(into: $0) }
            }
            dtrain_store(memory.address + 64, claim)
            #expect(!frame.withUnsafeBytes { first.put($0) })
        }
    }
}
