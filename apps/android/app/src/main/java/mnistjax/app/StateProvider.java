package mnistjax.app;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;

/** Lets the app that a user shares a state with read that one file, and nothing else. */
public final class StateProvider extends ContentProvider {
    private static final String AUTHORITY = "mnistjax.app.state";
    private static final String NAME = "taught.safetensors";

    /** The type of a state file; safetensors has none of its own. */
    static final String TYPE = "application/octet-stream";

    /** Returns the file that is shared. */
    static File file(Context context) {
        return new File(context.getCacheDir(), NAME);
    }

    /** Returns the address of that file. */
    static Uri uri() {
        return Uri.parse("content://" + AUTHORITY + "/" + NAME);
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public String getType(Uri uri) {
        return uri().equals(uri) ? TYPE : null;
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        if (!uri().equals(uri) || !"r".equals(mode)) {
            throw new FileNotFoundException("no such file, or not to be written: " + uri);
        }
        return ParcelFileDescriptor.open(
                file(getContext()), ParcelFileDescriptor.MODE_READ_ONLY);
    }

    @Override
    public Cursor query(
            Uri uri, String[] projection, String selection, String[] arguments, String order) {
        String[] columns = {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE};
        MatrixCursor cursor = new MatrixCursor(projection == null ? columns : projection);
        if (uri().equals(uri)) {
            MatrixCursor.RowBuilder row = cursor.newRow();
            row.add(OpenableColumns.DISPLAY_NAME, NAME);
            row.add(OpenableColumns.SIZE, file(getContext()).length());
        }
        return cursor;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException("nothing is written here");
    }

    @Override
    public int delete(Uri uri, String selection, String[] arguments) {
        throw new UnsupportedOperationException("nothing is deleted here");
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
        throw new UnsupportedOperationException("nothing is written here");
    }
}
