package io.trino.server;

/** The release's own starter is not among the published jars; it tells the server its version, and so does this. */
public final class TrinoServer {
    private TrinoServer() {}

    public static void main(String[] args) {
        new Server().start(args[0]);
    }
}
