package mnistjax.app;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.content.ContentResolver;
import android.content.Context;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import java.io.FileNotFoundException;
import java.nio.file.Files;
import org.junit.Test;
import org.robolectric.RuntimeEnvironment;

/** What other apps are given of a shared state. */
public final class StateProviderTest extends AppTest {
    @Test
    public void onlyTheSharedFileIsGiven() throws Exception {
        Context context = RuntimeEnvironment.getApplication();
        ContentResolver resolver = context.getContentResolver();
        Files.write(StateProvider.file(context).toPath(), new byte[7]);
        try (Cursor cursor = resolver.query(StateProvider.uri(), null, null, null, null)) {
            assertTrue(cursor.moveToFirst());
            int size = cursor.getColumnIndex(OpenableColumns.SIZE);
            assertEquals(7, cursor.getInt(size));
        }
        for (String other : new String[] {"/../x", "/other", ""}) {
            Uri uri = Uri.parse("content://" + StateProvider.uri().getAuthority() + other);
            assertThrows(
                    FileNotFoundException.class, () -> resolver.openFileDescriptor(uri, "r"));
        }
        assertThrows(
                FileNotFoundException.class,
                () -> resolver.openFileDescriptor(StateProvider.uri(), "rw"));
    }
}
