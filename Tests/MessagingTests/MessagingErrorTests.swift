import Glibc
import Messaging
import Testing

@Suite struct MessagingErrorTests {
    @Test(
        arguments: [
            (.system(call: "memfd_create", code: EMFILE), "memfd_create: Too many open files"),
            (.unsoundMemory(reason: "its size is not sealed"), "its size is not sealed"),
            (
                .cannotBind(endpoint: "tcp://10.0.0.1:5", code: EACCES),
                "binding tcp://10.0.0.1:5: Permission denied"
            ),
            (.tooManyBytes(limit: 80), "more than 80 bytes"),
        ] as [(MessagingError, String)])
    func `what other processes are told are words`(error: MessagingError, words: String) {
        #expect("\(error)" == words)
    }
}
